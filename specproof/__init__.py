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
from theory.recursive import recursive_rejection
from theory.rejections import (
    batch_limit,
    expected_rejections,
    expected_rejections_batch,
    rejection_law,
    rejection_rates,
)
from theory.selection import SelectionLaw
from theory.single import expected_tokens, maximal_coupling, optimal_length, speedup
from theory.tradeoff import (
    RelaxedLaw,
    decoding_opt,
    decoding_uno,
    minimal_bias,
    optimal_resampling,
    relaxed_acceptance,
)
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
    "RelaxedLaw",
    "SelectionLaw",
    "TabularModel",
    "as_distribution",
    "batch_limit",
    "bernoulli",
    "certify",
    "decoding_opt",
    "decoding_uno",
    "dirichlet",
    "division_factor",
    "expected_rejections",
    "expected_rejections_batch",
    "expected_tokens",
    "kseq",
    "maximal_coupling",
    "minimal_bias",
    "optimal_acceptance",
    "optimal_length",
    "optimal_resampling",
    "random_markov_pair",
    "random_tabular_pair",
    "recursive_rejection",
    "rejection_law",
    "rejection_rates",
    "relaxed_acceptance",
    "residual",
    "softmax",
    "solve_membership_lp",
    "speedup",
    "total_variation",
    "uniform",
    "zipf",
]
