"""Priority layer verification emits the target's joint law: enumerated on trees of many shapes, and drawn."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from specproof.simulations.claims.claim import Claim, Settings
from specproof.simulations.claims.texts.reach_weights import degenerate_pairs
from specproof.simulations.claims.trees.enumerated_layers import layers_by_enumeration
from specproof.simulations.claims.trees.small_models import heated, small_models
from specproof.simulations.claims.worst import Worst
from specproof.simulations.evidence import Method, from_check
from specproof.simulations.experiments.cell import Cell, CellContext, Findings
from specproof.simulations.samplers.priority_layers import Layered, simulate_layers, verify
from specproof.simulations.samplers.sequences import complete
from specproof.simulations.statistics import check_law
from specproof.theory.chain import MarkovChain, TabularModel, random_tabular_pair
from specproof.theory.distribution import Array
from specproof.theory.independent.sequences_by_enumeration import completed
from specproof.theory.trees.layer_tree import LayerTree
from specproof.theory.trees.layers import layer_law
from specproof.theory.trees.priority_layers import PriorityLayers, weigh_layers

SHAPES = {
    "one child and none": (-1, -1, 0),
    "two children and one": (-1, -1, 0, 0, 1),
    "one draft, then two, then two": (-1, 0, 0, 1, 2),
    "only the second of three goes on": (-1, -1, -1, 1, 1),
    "a chain that forks at its end": (-1, 0, 1, 1),
}
"""Trees that are no draft sequences, by their parents."""

CONTROLLED = 12
"""The control, and the lift by other formulas, which takes long, are enumerated on so many of the instances."""


def _cells(settings: Settings) -> list[Cell]:
    return [
        Cell(CLAIM.id, "sequences", sequences, {"instances": settings.sized(200, 2000)}, cost=2),
        Cell(CLAIM.id, "shapes", shapes, {"instances": settings.sized(8, 80)}, cost=2),
        Cell(CLAIM.id, "degenerate", degenerate),
        Cell(CLAIM.id, "simulation", simulation, {"trials": settings.sized(100_000, 2_000_000)}, tests=2),
    ]


CLAIM = Claim(
    "layer.lossless",
    "docs/priority-layer.md; after Layer Verification (Cha, Cho, Yun 2026)",
    "Priority layer verification emits the target's joint law, on draft sequences and on trees of any fixed shape.",
    _cells,
)


def sequences(context: CellContext, instances: int) -> Findings:
    """Enumerate draft sequences of random models, with zeros, ties and equal laws among them."""
    worst = Worst(tokens="2..4", length="1..3", drafts="1..3")
    for index in range(instances):
        draft, target, count, length, _ = small_models(context.rng, index)
        tree = LayerTree.sequences(count, length)
        made = layers_by_enumeration(draft, target, tree)
        worst.see("joint law of what is emitted", _bias(made, target, length))
        if index >= CONTROLLED:
            continue
        known = layer_law(draft, target, count, length, "priority").emitted
        error = max(abs(block[node] - known.get(node, 0.0)) for block in made for node in np.ndindex(block.shape))
        worst.see("law of a call, against the lift by integrals over the sets", error)
        _broken(worst, draft, target, tree)
    return Findings(worst.rows())


def shapes(context: CellContext, instances: int) -> Findings:
    """Enumerate trees that fork where they like."""
    worst = Worst(tokens="2..3")
    for index in range(instances):
        for name, parents in SHAPES.items():
            tree = LayerTree(parents)
            draft, target = random_tabular_pair(2 + index % 2, tree.length + 1, context.rng)
            made = layers_by_enumeration(draft, target, tree)
            worst.see(f"joint law, {name}", _bias(made, target, tree.length))
    _broken(worst, *random_tabular_pair(3, 3, context.rng), LayerTree(SHAPES["two children and one"]))
    return Findings(worst.rows())


def degenerate(_: CellContext) -> Findings:
    """Enumerate two sequences where the laws are equal, disjoint, without some tokens, of one token, or denormal."""
    worst = Worst(length=2, drafts=2)
    for draft, target in degenerate_pairs().values():
        made = layers_by_enumeration(draft, target, LayerTree.sequences(2, 2))
        worst.see("joint law of what is emitted", _bias(made, target, 2))
    return Findings(worst.rows())


def simulation(context: CellContext, trials: int) -> Findings:
    """Draw calls with the sampler and test the accepted length and the joint law of what is emitted."""
    level, rng, tree = context.level, context.rng, LayerTree.sequences(2, 2)
    draft = MarkovChain([0.6, 0.2, 0.2], [[0.1, 0.3, 0.6]] * 3, 3)
    target = MarkovChain([0.3, 0.35, 0.35], [[0.5, 0.4, 0.1]] * 3, 3)
    exact = np.array([block.sum() for block in layers_by_enumeration(draft.tabulate(), target.tabulate(), tree)])
    joint = target.tabulate().joint()
    calls, broken = (simulate_layers(draft, target, tree, trials, rng, rule) for rule in (verify, _verify_heated))
    test = partial(from_check, level=level, resolution=0.02, states=3, length=2, num_drafts=2)
    rows = [test("accepted length", check_law(calls.accepted, exact, level))]
    for quantity, found, method in (
        ("joint law of what is emitted", calls, Method.SIMULATION),
        (f"joint law, {CONTROL}", broken, Method.CONTROL),
    ):
        numbers = np.ravel_multi_index(tuple(complete(found, target, rng).T), joint.shape)
        rows.append(test(quantity, check_law(numbers, joint.reshape(-1), level), method=method))
    return Findings(rows)


CONTROL = "weighed by the draft's law at another temperature"
"""What the broken control does: the drafts do not have the law that it is told."""


def _weigh_heated(draft: Array, target: Array, drafts: NDArray[np.int64], tree: LayerTree) -> PriorityLayers:
    return weigh_layers(heated(draft), target, drafts, tree)


def _verify_heated(draft: Array, target: Array, drafts: NDArray[np.int64], uniforms: Array, tree: LayerTree) -> Layered:
    return verify(heated(draft), target, drafts, uniforms, tree)


def _broken(worst: Worst, draft: TabularModel, target: TabularModel, tree: LayerTree) -> None:
    made = layers_by_enumeration(draft, target, tree, _weigh_heated)
    worst.see(f"joint law, {CONTROL}", _bias(made, target, tree.length), method=Method.CONTROL)


def _bias(made: list[Array], target: TabularModel, length: int) -> float:
    """Total variation between the target's first L + 1 tokens and what a call and then the target emit."""
    joint = target.joint().sum(axis=tuple(range(length + 1, target.horizon)))
    return 0.5 * float(np.abs(completed(made, target) - joint).sum())
