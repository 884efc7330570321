"""specproof: exact theory, simulation and conformance tests for speculative decoding.

The exact mathematics is at hand from here; ``theory``, ``simulations`` and ``figures`` hold all of it.
"""

from theory.chain import MarkovChain, TabularModel, random_markov_pair, random_tabular_pair
from theory.distribution import (
    as_distribution,
    bernoulli,
    dirichlet,
    residual,
    softmax,
    total_variation,
    uniform,
    zipf,
)
from theory.errors import InvalidInput
from theory.kseq import division_factor, kseq
from theory.rejections import expected_rejections, rejection_law, rejection_rates
from theory.selection import SelectionLaw
from theory.single import expected_tokens, maximal_coupling, optimal_length, speedup
from theory.transport import (
    AcceptanceCertificate,
    MembershipPlan,
    certify,
    optimal_acceptance,
    solve_membership_lp,
)

__all__ = [
    "AcceptanceCertificate",
    "InvalidInput",
    "MarkovChain",
    "MembershipPlan",
    "SelectionLaw",
    "TabularModel",
    "as_distribution",
    "bernoulli",
    "certify",
    "dirichlet",
    "division_factor",
    "expected_rejections",
    "expected_tokens",
    "kseq",
    "maximal_coupling",
    "optimal_acceptance",
    "optimal_length",
    "random_markov_pair",
    "random_tabular_pair",
    "rejection_law",
    "rejection_rates",
    "residual",
    "softmax",
    "solve_membership_lp",
    "speedup",
    "total_variation",
    "uniform",
    "zipf",
]
