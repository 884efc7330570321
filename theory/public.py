"""Every name that :mod:`specproof.theory` hands out, imported."""

from specproof.theory.blocks import BlockLaw, block_verification
from specproof.theory.chain import MarkovChain, TabularModel, random_markov_pair, random_tabular_pair
from specproof.theory.distribution import (
    as_distribution,
    bernoulli,
    dirichlet,
    residual,
    softmax,
    total_variation,
    uniform,
    zipf,
)
from specproof.theory.draft_length import expected_tokens, optimal_length, speedup
from specproof.theory.errors import InvalidInput
from specproof.theory.lossy import (
    LossyLaw,
    ensemble_verification,
    kl_optimal,
    relaxed_top,
    two_thresholds,
    typical_acceptance,
)
from specproof.theory.one_position import OnePositionRule, one_position_rules, register_one_position_rule
from specproof.theory.policies import POLICIES, BestTemperature, best_draft_temperature
from specproof.theory.rejections import (
    batch_limit,
    expected_rejections,
    expected_rejections_batch,
    rejection_law,
    rejection_rates,
)
from specproof.theory.relaxed import RelaxedLaw, decoding_opt, decoding_uno, relaxed_law
from specproof.theory.sampling_settings import SamplingSettings
from specproof.theory.sequences import LongRun, accepted_length_law, block_efficiency, long_run
from specproof.theory.texts import (
    block_by_block,
    by_depth,
    call_starts,
    draft_sequences,
    expected_calls,
    products_of_marginals,
    token_by_token,
    tokens_and_calls,
)
from specproof.theory.tradeoff import ParetoPoint, minimal_bias, optimal_resampling, pareto_point, relaxed_acceptance
from specproof.theory.transport import (
    AcceptanceCertificate,
    Bracket,
    DraftSets,
    MembershipPlan,
    bracket,
    certify,
    minimum_cut,
    optimal_acceptance,
    optimal_acceptance_different,
    optimal_acceptance_without_replacement,
    optimal_plan,
    solve_membership_lp,
)
from specproof.theory.trees.block_optimum import BlockOptimum, block_optimum, block_optimum_of_trees
from specproof.theory.trees.draft_trees import DraftTrees
from specproof.theory.trees.layer_efficiency import layer_efficiency
from specproof.theory.trees.layer_tree import LayerTree
from specproof.theory.trees.layers import LayerLaw, layer_law
from specproof.theory.trees.priority_layers import PriorityLayers, priority_layers
from specproof.theory.trees.rules.registry import (
    TREE_VERIFIERS,
    CallLaw,
    TreeVerifier,
    call_law,
    register_tree_verifier,
)
from specproof.theory.trees.shapes import best_certain_tree, best_sibling_tree
from specproof.theory.verifiers import VERIFIERS, Verifier, register_verifier
from specproof.theory.verifiers.at_tokens import agreement_at
from specproof.theory.verifiers.kseq.certificate import KSeqCertificate, certify_kseq
from specproof.theory.verifiers.kseq.factor import division_factor
from specproof.theory.verifiers.kseq.guarantee import kseq_worst_pair, kseq_worst_share
from specproof.theory.verifiers.kseq.law import kseq
from specproof.theory.verifiers.priority import Intervals, PriorityCoupling
from specproof.theory.verifiers.priority.orders import (
    Drafted,
    PriorityOrders,
    drafted_sets,
    independent_drafts,
    optimal_orders,
)
from specproof.theory.verifiers.priority.orders_certificate import certify_different, certify_without_replacement
from specproof.theory.verifiers.recursive import recursive_rejection
from specproof.theory.verifiers.recursive_without_replacement import recursive_rejection_without_replacement
from specproof.theory.verifiers.selection_law import SelectionLaw
from specproof.theory.verifiers.single import maximal_coupling

__all__ = [
    "POLICIES",
    "TREE_VERIFIERS",
    "VERIFIERS",
    "AcceptanceCertificate",
    "BestTemperature",
    "BlockLaw",
    "BlockOptimum",
    "Bracket",
    "CallLaw",
    "DraftSets",
    "DraftTrees",
    "Drafted",
    "Intervals",
    "InvalidInput",
    "KSeqCertificate",
    "LayerLaw",
    "LayerTree",
    "LongRun",
    "LossyLaw",
    "MarkovChain",
    "MembershipPlan",
    "OnePositionRule",
    "ParetoPoint",
    "PriorityCoupling",
    "PriorityLayers",
    "PriorityOrders",
    "RelaxedLaw",
    "SamplingSettings",
    "SelectionLaw",
    "TabularModel",
    "TreeVerifier",
    "Verifier",
    "accepted_length_law",
    "agreement_at",
    "as_distribution",
    "batch_limit",
    "bernoulli",
    "best_certain_tree",
    "best_draft_temperature",
    "best_sibling_tree",
    "block_by_block",
    "block_efficiency",
    "block_optimum",
    "block_optimum_of_trees",
    "block_verification",
    "bracket",
    "by_depth",
    "call_law",
    "call_starts",
    "certify",
    "certify_different",
    "certify_kseq",
    "certify_without_replacement",
    "decoding_opt",
    "decoding_uno",
    "dirichlet",
    "division_factor",
    "draft_sequences",
    "drafted_sets",
    "ensemble_verification",
    "expected_calls",
    "expected_rejections",
    "expected_rejections_batch",
    "expected_tokens",
    "independent_drafts",
    "kl_optimal",
    "kseq",
    "kseq_worst_pair",
    "kseq_worst_share",
    "layer_efficiency",
    "layer_law",
    "long_run",
    "maximal_coupling",
    "minimal_bias",
    "minimum_cut",
    "one_position_rules",
    "optimal_acceptance",
    "optimal_acceptance_different",
    "optimal_acceptance_without_replacement",
    "optimal_length",
    "optimal_orders",
    "optimal_plan",
    "optimal_resampling",
    "pareto_point",
    "priority_layers",
    "products_of_marginals",
    "random_markov_pair",
    "random_tabular_pair",
    "recursive_rejection",
    "recursive_rejection_without_replacement",
    "register_one_position_rule",
    "register_tree_verifier",
    "register_verifier",
    "rejection_law",
    "rejection_rates",
    "relaxed_acceptance",
    "relaxed_law",
    "relaxed_top",
    "residual",
    "softmax",
    "solve_membership_lp",
    "speedup",
    "token_by_token",
    "tokens_and_calls",
    "total_variation",
    "two_thresholds",
    "typical_acceptance",
    "uniform",
    "zipf",
]
