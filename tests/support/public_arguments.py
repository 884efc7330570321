"""Valid arguments of every public function, for tests that replace them one by one."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

import specproof.theory as theory
from specproof import (
    TREE_VERIFIERS,
    VERIFIERS,
    DraftSets,
    DraftTrees,
    MarkovChain,
    PriorityCoupling,
    SamplingSettings,
    TabularModel,
    drafted_sets,
    one_position_rules,
    optimal_plan,
)

HALF = [0.5, 0.5]
CHAIN = MarkovChain(HALF, [HALF, HALF], 3)
SETS = DraftSets.iid(HALF, 2)

PAIR = {"draft": HALF, "target": HALF}
DRAFTED = {**PAIR, "num_drafts": 2}
CHAINS = {"draft": CHAIN, "target": CHAIN}
BLOCKS = {**CHAINS, "num_drafts": 2, "length": 1, "verifier": "kseq"}
RANDOM = {"num_states": 2, "horizon": 2, "rng": np.random.default_rng(0), "concentration": 1.0}
ACCEPTED = {**PAIR, "accept": HALF}
OF_SETS = {"drafts": SETS, "target": HALF}
TEXT = {"draft_logprobs": [-1.0, -2.0], "target_logprobs": [-2.0, -1.0], "length": 1}
REACH = [[1.0, 0.5], [1.0, 0.25]]
OF_ROWS = {"drafts": [HALF], "target": HALF}

VALID: dict[str, dict[str, Any]] = {
    "MarkovChain": {"initial": HALF, "transitions": [HALF, HALF], "horizon": 2},
    "PriorityCoupling": {**DRAFTED, "tolerance": 0.0},
    "SamplingSettings": {"temperature": 1.0, "top_k": 2, "top_p": 0.5, "min_p": 0.1},
    "TabularModel": {"conditionals": [HALF]},
    "DraftSets.iid": {"draft": HALF, "num_drafts": 2},
    "DraftSets.of_different": {"drafts": [HALF, HALF]},
    "DraftSets.of_joint": {"joint": HALF},
    "DraftSets.without_replacement": {"draft": HALF, "num_drafts": 2},
    "DraftTrees.of": {"law": {((0,),): 1.0}},
    "DraftTrees.sequences": {"draft": CHAIN, "num_drafts": 2, "length": 1},
    "accepted_length_law": {**BLOCKS, "context": HALF},
    "agreement_at": {"verifier": VERIFIERS["kseq"], **PAIR, "tokens": 0, "num_drafts": 2},
    "as_distribution": {"values": HALF},
    "batch_limit": CHAINS,
    "bernoulli": {"success": 0.5},
    "best_certain_tree": {"target": CHAIN, "nodes": 2, "length": 2},
    "best_draft_temperature": {"draft_logits": HALF, "target": HALF, "policy": "ratio"},
    "best_sibling_tree": {**CHAINS, "nodes": 2, "length": 2},
    "block_by_block": TEXT,
    "block_efficiency": {**BLOCKS, "context": HALF},
    "block_optimum": {**CHAINS, "num_drafts": 2, "length": 1},
    "block_optimum_of_trees": {"trees": DraftTrees.of({((0,),): 1.0}), "target": CHAIN},
    "block_verification": {"draft": [HALF], "target": [HALF, HALF], "tokens": [0]},
    "bracket": {**OF_SETS, "plan": optimal_plan(SETS, HALF)},
    "by_depth": {"chances": HALF, "length": 1},
    "call_law": {**BLOCKS, "verifier": "traversal"},
    "call_starts": {"reach": REACH},
    "certify": DRAFTED,
    "certify_different": OF_ROWS,
    "certify_kseq": DRAFTED,
    "certify_without_replacement": DRAFTED,
    "decoding_opt": {**PAIR, "epsilon": 0.1},
    "decoding_uno": {**PAIR, "epsilon": 0.1},
    "dirichlet": {"vocabulary": 2, "concentration": 1.0, "rng": np.random.default_rng(0), "size": 2},
    "division_factor": DRAFTED,
    "draft_sequences": {"agreement": [[[0.1]]] * 2, "target_logprobs": [-2.0, -1.0], "num_drafts": 1, "length": 1},
    "drafted_sets": {"drafts": SETS},
    "ensemble_verification": {**PAIR, "weight": 0.5},
    "expected_calls": {"reach": REACH},
    "expected_rejections": CHAINS,
    "expected_rejections_batch": {**CHAINS, "num_drafts": 2},
    "expected_tokens": {"acceptance": 0.5, "length": 2},
    "independent_drafts": {"drafts": [HALF]},
    "kl_optimal": {**PAIR, "divergence": 0.1},
    "kseq": {**DRAFTED, "rho": 2.0},
    "kseq_worst_pair": {"num_drafts": 2},
    "kseq_worst_share": {"num_drafts": 2},
    "layer_efficiency": {**CHAINS, "num_drafts": 2, "length": 1, "tolerance": 0.0},
    "layer_law": BLOCKS,
    "long_run": BLOCKS,
    "maximal_coupling": PAIR,
    "minimal_bias": ACCEPTED,
    "minimum_cut": DRAFTED,
    "one_position_rules": {},
    "optimal_acceptance": DRAFTED,
    "optimal_acceptance_different": OF_ROWS,
    "optimal_acceptance_without_replacement": DRAFTED,
    "optimal_length": {"acceptance": 0.5, "cost": 0.1},
    "optimal_orders": {"drafted": drafted_sets(SETS), "target": HALF},
    "optimal_plan": OF_SETS,
    "optimal_resampling": ACCEPTED,
    "pareto_point": {**PAIR, "accept": [1.0, 1.0]},
    "priority_layers": {"draft": [HALF], "target": [HALF] * 3, "drafts": [0, 1], "tree": [-1, -1], "tolerance": 0.0},
    "products_of_marginals": {"chances": HALF, "length": 1},
    "random_markov_pair": RANDOM,
    "random_tabular_pair": RANDOM,
    "recursive_rejection": DRAFTED,
    "recursive_rejection_without_replacement": DRAFTED,
    "register_one_position_rule": {"rule": one_position_rules()["argmax"]},
    "register_tree_verifier": {"verifier": TREE_VERIFIERS["traversal"]},
    "register_verifier": {"verifier": VERIFIERS["kseq"]},
    "rejection_law": CHAINS,
    "rejection_rates": CHAINS,
    "relaxed_acceptance": {**PAIR, "epsilon": 0.1},
    "relaxed_law": {**ACCEPTED, "resampling": HALF},
    "relaxed_top": {**PAIR, "count": 1, "delta": 0.1},
    "residual": PAIR,
    "softmax": {"logits": HALF, "temperature": 1.0},
    "solve_membership_lp": DRAFTED,
    "speedup": {"acceptance": 0.5, "length": 2, "cost": 0.1},
    "token_by_token": TEXT,
    "tokens_and_calls": {"reach": REACH, "length": 1, "starts": 1},
    "total_variation": PAIR,
    "two_thresholds": {**PAIR, "single": 0.5, "accumulated": 0.5},
    "typical_acceptance": {**PAIR, "epsilon": 0.1, "delta": 0.3},
    "uniform": {"vocabulary": 2, "support": 1},
    "zipf": {"vocabulary": 2, "exponent": 1.0},
}


def _public() -> dict[str, Callable[..., Any]]:
    """The functions in ``specproof.theory.__all__``, and the constructors that check what they are given."""
    functions = {name: getattr(theory, name) for name in theory.__all__}
    found = {name: function for name, function in functions.items() if inspect.isfunction(function)}
    kinds = (DraftSets, DraftTrees)
    makers = {
        f"{kind.__name__}.{name}": getattr(kind, name)
        for kind in kinds
        for name in vars(kind)
        if not name.startswith("_")
    }
    found |= {name: maker for name, maker in makers.items() if inspect.ismethod(maker)}
    return found | {kind.__name__: kind for kind in (MarkovChain, PriorityCoupling, SamplingSettings, TabularModel)}


PUBLIC = _public()
