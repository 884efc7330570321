"""Known defects of speculative samplers, each with its exact law, and samplers that only look defective."""

from simulations.conformance.defects.batch import BATCH_DEFECTS
from simulations.conformance.defects.block import BLOCK_DEFECTS
from simulations.conformance.defects.chain import CHAIN_DEFECTS
from simulations.conformance.defects.defect import Defect
from simulations.conformance.defects.dice import DICE_DEFECTS
from simulations.conformance.defects.lookalikes import LOOKALIKES
from simulations.conformance.defects.loop import LOOP_DEFECTS
from simulations.conformance.defects.multi import MULTI_DEFECTS
from simulations.conformance.defects.siblings import SIBLING_DEFECTS

DEFECTS: tuple[Defect, ...] = (
    *CHAIN_DEFECTS,
    *DICE_DEFECTS,
    *BLOCK_DEFECTS,
    *BATCH_DEFECTS,
    *MULTI_DEFECTS,
    *LOOP_DEFECTS,
    *SIBLING_DEFECTS,
)
"""The catalogue."""

__all__ = ["DEFECTS", "LOOKALIKES", "Defect"]
