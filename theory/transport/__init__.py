r"""The best any verifier can do with k i.i.d. drafts: optimal transport with membership cost.

Given k drafts X = (X_1, ..., X_k) ~ p^k and an output Y ~ q, the optimal acceptance is the largest
:math:`\alpha^* = \max P(Y \in \{X_1, ..., X_k\})` over all couplings. (Sun et al. 2023, section 3.)

Three routes to the one number: the subset formula, at any vocabulary size; the linear program itself, at small ones;
and a certificate, which is a proof in exact rational arithmetic.
"""

from theory.transport.certificate import AcceptanceCertificate, certify
from theory.transport.membership_lp import MembershipPlan, solve_membership_lp
from theory.transport.subset import optimal_acceptance

__all__ = ["AcceptanceCertificate", "MembershipPlan", "certify", "optimal_acceptance", "solve_membership_lp"]
