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
from theory.orders import PriorityOrders, drafted_sets, independent_drafts, optimal_orders
from theory.priority import PriorityCoupling
from theory.recursive import recursive_rejection
from theory.rejections import (
    batch_limit,
    expected_rejections,
    expected_rejections_batch,
    rejection_law,
    rejection_rates,
)
from theory.selection import SelectionLaw
from theory.sequences import LongRun, accepted_length_law, block_efficiency, long_run
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
    Bracket,
    DraftSets,
    MembershipPlan,
    bracket,
    certify,
    optimal_acceptance,
    optimal_acceptance_different,
    optimal_acceptance_without_replacement,
    optimal_plan,
    solve_membership_lp,
)

__all__ = [
    "AcceptanceCertificate",
    "Bracket",
    "DraftSets",
    "InvalidInput",
    "LongRun",
    "MarkovChain",
    "MembershipPlan",
    "PriorityCoupling",
    "PriorityOrders",
    "RelaxedLaw",
    "SelectionLaw",
    "TabularModel",
    "accepted_length_law",
    "as_distribution",
    "batch_limit",
    "bernoulli",
    "block_efficiency",
    "bracket",
    "certify",
    "decoding_opt",
    "decoding_uno",
    "dirichlet",
    "division_factor",
    "drafted_sets",
    "expected_rejections",
    "expected_rejections_batch",
    "expected_tokens",
    "independent_drafts",
    "kseq",
    "long_run",
    "maximal_coupling",
    "minimal_bias",
    "optimal_acceptance",
    "optimal_acceptance_different",
    "optimal_acceptance_without_replacement",
    "optimal_length",
    "optimal_orders",
    "optimal_plan",
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
