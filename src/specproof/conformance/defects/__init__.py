"""Known defects of speculative samplers, with the exact laws of what they emit, and samplers that only look so."""

from specproof.conformance.defects.block_verification import BLOCK_DEFECTS
from specproof.conformance.defects.chain_defects import CHAIN_DEFECTS
from specproof.conformance.defects.defect import Defect
from specproof.conformance.defects.drawn_drafts import DRAWN_DEFECTS, RECURSIVE_ON_DRAWN
from specproof.conformance.defects.lookalikes import LOOKALIKES as _LOOKALIKES
from specproof.conformance.defects.loop import LOOP_DEFECTS
from specproof.conformance.defects.mixed_rows import ROW_DEFECTS
from specproof.conformance.defects.overwritten import OVERWRITTEN_DEFECTS
from specproof.conformance.defects.ragged_rows import RAGGED_DEFECTS, at_any_length
from specproof.conformance.defects.reused_uniforms import UNIFORMS_DEFECTS
from specproof.conformance.defects.round_defects import PLAIN_ROUND, ROUND_DEFECTS
from specproof.conformance.defects.several_drafts import MULTI_DEFECTS
from specproof.conformance.defects.shared_noise import SHARED_NOISE_DEFECTS
from specproof.conformance.defects.siblings import SIBLING_DEFECTS
from specproof.conformance.defects.text_defects import LOOP_AS_ASKED, TEXT_DEFECTS, for_any_settings
from specproof.conformance.defects.trees import RECURSIVE_ON_TREES, TREE_DEFECTS

_OF_WHOLE_ROWS: tuple[Defect, ...] = (
    *CHAIN_DEFECTS,
    *UNIFORMS_DEFECTS,
    *BLOCK_DEFECTS,
    *ROW_DEFECTS,
    *MULTI_DEFECTS,
    *DRAWN_DEFECTS,
    *LOOP_DEFECTS,
    *OVERWRITTEN_DEFECTS,
    *SIBLING_DEFECTS,
    *TREE_DEFECTS,
    *ROUND_DEFECTS,
    *SHARED_NOISE_DEFECTS,
)
DEFECTS: tuple[Defect, ...] = (
    *map(for_any_settings, map(at_any_length, _OF_WHOLE_ROWS)),
    *TEXT_DEFECTS,
    *RAGGED_DEFECTS,
)
"""The catalogue of known defects."""
LOOKALIKES: tuple[Defect, ...] = (
    *map(for_any_settings, map(at_any_length, _LOOKALIKES)),
    LOOP_AS_ASKED,
    RECURSIVE_ON_DRAWN,
    RECURSIVE_ON_TREES,
    PLAIN_ROUND,
)
"""Samplers that look wrong and are exact."""

__all__ = ["DEFECTS", "LOOKALIKES", "Defect"]
