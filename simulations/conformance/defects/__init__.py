"""Known defects of speculative samplers, with the exact laws of what they emit, and samplers that only look so."""

from simulations.conformance.defects.batch import BATCH_DEFECTS
from simulations.conformance.defects.block import BLOCK_DEFECTS
from simulations.conformance.defects.chain import CHAIN_DEFECTS
from simulations.conformance.defects.defect import Defect
from simulations.conformance.defects.dice import DICE_DEFECTS
from simulations.conformance.defects.lookalikes import LOOKALIKES
from simulations.conformance.defects.loop import LOOP_DEFECTS
from simulations.conformance.defects.multi import MULTI_DEFECTS
from simulations.conformance.defects.overwritten import OVERWRITTEN_DEFECTS
from simulations.conformance.defects.siblings import SIBLING_DEFECTS

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
