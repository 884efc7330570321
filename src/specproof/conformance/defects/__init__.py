"""Known defects of speculative samplers, with the exact laws of what they emit, and samplers that only look so."""

from specproof.conformance.defects.block_verification import BLOCK_DEFECTS
from specproof.conformance.defects.defect import Defect
from specproof.conformance.defects.lookalikes import LOOKALIKES
from specproof.conformance.defects.loop import LOOP_DEFECTS
from specproof.conformance.defects.mixed_rows import BATCH_DEFECTS
from specproof.conformance.defects.overwritten import OVERWRITTEN_DEFECTS
from specproof.conformance.defects.reused_uniforms import DICE_DEFECTS
from specproof.conformance.defects.several_drafts import MULTI_DEFECTS
from specproof.conformance.defects.siblings import SIBLING_DEFECTS
from specproof.conformance.defects.token_rules import CHAIN_DEFECTS

DEFECTS: tuple[Defect, ...] = (
    *CHAIN_DEFECTS,
    *DICE_DEFECTS,
    *BLOCK_DEFECTS,
    *BATCH_DEFECTS,
    *MULTI_DEFECTS,
    *LOOP_DEFECTS,
    *OVERWRITTEN_DEFECTS,
    *SIBLING_DEFECTS,
)
"""The catalogue."""

__all__ = ["DEFECTS", "LOOKALIKES", "Defect"]
