"""What every rule accepts at one position: the verifiers of i.i.d. drafts, and all that draft in another way.

==================  ====================================================================================================
``registry``        what a rule of one position is, the ways to draft, and how rules are registered
``iid_drafts``      i.i.d. drafts: exact match, best draft, canonical decomposition, the optimum, SpecTr-GBV
``distinct_drafts`` drafts without replacement: recursive rejection, the optimum
``certain_drafts``  likeliest tokens: the target's walk, argmax, top (k-1) plus one draw, SpecHub
``shared_races``    drafts and target draw by the same noise: Gumbel-max list sampling
==================  ====================================================================================================

The verifiers of :data:`specproof.theory.verifiers.VERIFIERS` are rules of one position as they are.
"""

from specproof.theory.one_position.registry import (
    DRAWS_AT_ONE_POSITION,
    OnePositionRule,
    one_position_rules,
    register_one_position_rule,
)
from specproof.theory.registry import load_rooms

load_rooms(__name__, list(__path__))

__all__ = ["DRAWS_AT_ONE_POSITION", "OnePositionRule", "one_position_rules", "register_one_position_rule"]
