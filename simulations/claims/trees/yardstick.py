"""The block optimum as the yardstick of rules for several draft sequences, level by level and lifted to layers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from specproof.simulations.claims.claim import Claim, Settings
from specproof.simulations.claims.trees.lossless import CONTROLLED, bias, broken
from specproof.simulations.claims.trees.small_models import small_models
from specproof.simulations.claims.worst import Least, Worst
from specproof.simulations.evidence import Method
from specproof.simulations.experiments.cell import Cell, CellContext, Findings
from specproof.theory.chain import TabularModel, random_tabular_pair
from specproof.theory.distribution import Array
from specproof.theory.sequences import block_efficiency
from specproof.theory.transport import optimal_acceptance
from specproof.theory.trees.block_optimum import block_optimum
from specproof.theory.trees.draft_trees import Node, joint_law
from specproof.theory.trees.layers import LayerLaw, layer_law
from specproof.theory.trees.rules import TREE_VERIFIERS
from specproof.theory.verifiers import VERIFIERS, Verifier

SIZES = ((2, 2, 2), (3, 2, 2), (2, 3, 2), (2, 2, 3))
"""Tokens V, length L and number of sequences K of what is compared."""

SOLVED = 1e-9
"""Masses that a linear program keeps to 1e-10, some dozens of them."""


def _cells(settings: Settings) -> list[Cell]:
    instances = settings.sized(6, 60)
    alone = Cell(CLAIM.id, "small-models", small, {"instances": settings.sized(40, 2000)}, cost=3)
    return [alone] + [
        Cell(
            CLAIM.id,
            f"V{tokens}-L{length}-K{count}",
            compare,
            {"tokens": tokens, "length": length, "num_drafts": count, "instances": instances},
            cost=3,
        )
        for tokens, length, count in SIZES
    ]


CLAIM = Claim(
    "trees.layer-lift",
    "Layer Verification (Cha, Cho, Yun 2026) and block verification (Sun et al. 2024, arXiv 2403.10444), generalised",
    "The layer lift of every verifier is lossless, and lies between the rule level by level and the block optimum.",
    _cells,
)


def compare(context: CellContext, tokens: int, length: int, num_drafts: int, instances: int) -> Findings:
    """Put every verifier, in both forms, beside the certified optimum of random models."""
    sizes = {"tokens": tokens, "length": length, "num_drafts": num_drafts}
    worst, least = Worst(**sizes), Least(**sizes)
    for _ in range(instances):
        concentration = float(context.rng.choice([0.3, 1.0, 3.0]))
        pair = random_tabular_pair(tokens, length + 1, context.rng, concentration=concentration)
        optimum = block_optimum(*pair, num_drafts, length)
        worst.see("bracket of the block optimum, without rounding", float(optimum.highest - optimum.lowest))
        for verifier in VERIFIERS.values():
            levels = block_efficiency(*pair, num_drafts, length, verifier) - 1.0
            law = layer_law(*pair, num_drafts, length, verifier)
            worst.see(f"joint law of the layer lift, {verifier.label}", _error(law, pair[1], length))
            least.see(f"layer lift minus level by level, {verifier.label}", law.mean - levels)
            least.see(f"block optimum minus layer lift, {verifier.label}", float(optimum.highest) - law.mean)
        _see_ends(worst, pair, num_drafts, length)
        broken = layer_law(*pair, num_drafts, length, _hasty(VERIFIERS["kseq"]))
        quantity = "joint law of the layer lift, of a rule that accepts more than its law says"
        worst.see(quantity, _error(broken, pair[1], length), method=Method.CONTROL)
        least.see(
            "level by level minus block optimum, if optimal levels were optimal blocks",
            block_efficiency(*pair, num_drafts, length, "priority") - 1.0 - optimum.accepted_length,
            method=Method.CONTROL,
        )
    return Findings(worst.rows() + least.rows())


def small(context: CellContext, instances: int) -> Findings:
    """Enumerate every lift on small models of every kind, with zeros, ties and equal laws among them."""
    worst = Worst(tokens="2..4", length="1..3", drafts="1..3")
    lifts = [rule for rule in TREE_VERIFIERS.values() if rule.name.endswith("-layers")]
    for index in range(instances):
        instance = small_models(context.rng, index)
        for rule in lifts:
            worst.see(f"joint law of what is emitted, {rule.label}", bias(rule, instance, instance.num_drafts))
        if index < CONTROLLED:
            quantity, control = broken(lifts[index % len(lifts)])
            worst.see(f"joint law, {quantity}", bias(control, instance, instance.num_drafts), method=Method.CONTROL)
    return Findings(worst.rows())


def _see_ends(worst: Worst, pair: tuple[TabularModel, TabularModel], num_drafts: int, length: int) -> None:
    """Look at one sequence and at one token, where the lift of the priority coupling is optimal."""
    one = block_optimum(*pair, 1, length).accepted_length
    worst.see(
        "one sequence: layer lift against block optimum",
        layer_law(*pair, 1, length, "priority").mean - one,
        tolerance=SOLVED,
    )
    first = float(optimal_acceptance(pair[0].conditionals[0], pair[1].conditionals[0], num_drafts))
    lifted, solved = layer_law(*pair, num_drafts, 1, "priority").mean, block_optimum(*pair, num_drafts, 1)
    worst.see("one token: layer lift against the optimal acceptance", lifted - first)
    worst.see(
        "one token: block optimum against the optimal acceptance", solved.accepted_length - first, tolerance=SOLVED
    )


def _error(law: LayerLaw, target: TabularModel, length: int) -> float:
    """Total variation between the target's joint law of L + 1 tokens and what a call and then the target emit."""
    found: Array = np.zeros((target.num_states,) * (length + 1))

    def go_on(node: Node, mass: float) -> None:
        if len(node) > length:
            found[node] += mass
            return
        for token, chance in enumerate(target.conditionals[len(node)][node]):
            go_on((*node, token), mass * float(chance))

    for node, mass in law.emitted.items():
        go_on(node, mass)
    joint = joint_law(target, length + 1, "target")
    return 0.5 * float(np.abs(found - joint).sum())


def _hasty(rule: Verifier) -> Verifier:
    """The rule with the chances of given drafts doubled where they leave room: the broken control."""

    def given(draft: Array, target: Array, drafts: NDArray[np.int64]) -> Array:
        assert rule.given_drafts is not None
        doubled: Array = np.minimum(2.0 * rule.given_drafts(draft, target, drafts), 1.0 / drafts.shape[1])
        return doubled

    return replace(rule, given_drafts=given)
