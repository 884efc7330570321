r"""The best any verifier can do with k drafts: optimal transport with membership cost.

Given drafts X = (X_1, ..., X_k) and an output Y ~ q, the optimal acceptance is the largest
:math:`\alpha^* = \max P(Y \in \{X_1, ..., X_k\})` over all couplings. (Sun et al. 2023, section 3.)

Three routes to the one number: a formula over sets of tokens, at any vocabulary size, for i.i.d. drafts, drafts without
replacement and drafts from different laws; the linear program itself, for any joint law at small sizes; and
certificates, which are proofs in exact rational arithmetic.
"""

from specproof.theory.transport.bracket import Bracket, bracket
from specproof.theory.transport.certificate import AcceptanceCertificate, certify
from specproof.theory.transport.different import optimal_acceptance_different
from specproof.theory.transport.draft_sets import DraftSets
from specproof.theory.transport.membership_lp import optimal_plan, solve_membership_lp
from specproof.theory.transport.plan import MembershipPlan
from specproof.theory.transport.subset import minimum_cut, optimal_acceptance
from specproof.theory.transport.without_replacement import optimal_acceptance_without_replacement

__all__ = [
    "AcceptanceCertificate",
    "Bracket",
    "DraftSets",
    "MembershipPlan",
    "bracket",
    "certify",
    "minimum_cut",
    "optimal_acceptance",
    "optimal_acceptance_different",
    "optimal_acceptance_without_replacement",
    "optimal_plan",
    "solve_membership_lp",
]
