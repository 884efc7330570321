"""Where priority layer verification is optimal, one sequence and one position, and what it is in between."""

from __future__ import annotations

import numpy as np

from specproof.simulations.claims.claim import Claim, Settings
from specproof.simulations.claims.trees.small_models import small_models
from specproof.simulations.claims.worst import Least, Worst
from specproof.simulations.evidence import Method
from specproof.simulations.experiments.cell import Cell, CellContext, Findings
from specproof.theory.chain import MarkovChain, TabularModel, random_tabular_pair
from specproof.theory.distribution import Array
from specproof.theory.independent.blocks_by_enumeration import blocks_by_enumeration
from specproof.theory.independent.calls_by_enumeration import reaching
from specproof.theory.independent.sequences_by_enumeration import sequences_by_enumeration
from specproof.theory.sequences import block_efficiency
from specproof.theory.transport import optimal_acceptance
from specproof.theory.trees.block_optimum import block_optimum
from specproof.theory.trees.layer_efficiency import layer_efficiency
from specproof.theory.trees.layers import layer_law
from specproof.theory.verifiers import VERIFIERS

SIZES = ((2, 2, 2), (3, 2, 2), (2, 3, 2), (2, 2, 3), (4, 2, 2), (3, 3, 2))
"""Tokens V, length L and number of sequences K of what is compared with level by level, one after the other."""

BETWEEN = 6
"""The block optimum is solved for so many instances of two sequences of two tokens."""


def _cells(settings: Settings) -> list[Cell]:
    return [
        Cell(CLAIM.id, "one-sequence", one_sequence, {"instances": settings.sized(60, 600)}),
        Cell(CLAIM.id, "one-position", one_position, {"instances": settings.sized(60, 600)}),
        Cell(CLAIM.id, "mean-weights", mean_weights, {"instances": settings.sized(12, 120)}, cost=2),
        Cell(CLAIM.id, "between", between, {"instances": settings.sized(200, 10_000)}, cost=4),
    ]


CLAIM = Claim(
    "layer.priority-optimal-ends",
    "docs/priority-layer.md",
    "Priority layer verification is optimal for one sequence and for one position, its expected accepted length is the "
    "sum of the layers' mean weights, and it is never below the optimum level by level.",
    _cells,
)


def one_sequence(context: CellContext, instances: int) -> Findings:
    """Compare one sequence of up to four tokens with block verification enumerated, depth by depth."""
    worst = Worst(tokens="2..4", length="1..4", drafts=1)
    for index in range(instances):
        size, length = 2 + index % 3, 1 + index // 3 % (4 if index % 3 < 2 else 3)
        pair = random_tabular_pair(size, length + 1, context.rng, concentration=float(context.rng.choice([0.3, 1.0])))
        found = layer_efficiency(*pair, 1, length)
        worst.see("block verification", np.abs(found - _reached(blocks_by_enumeration(*pair, length))).max())
        if length > 1:
            alone = _reached(sequences_by_enumeration(*pair, 1, length, "single"))
            error = np.abs(found - alone).max()
            worst.see("the optimum token by token, at every depth", error, method=Method.CONTROL)
    return Findings(worst.rows())


def one_position(context: CellContext, instances: int) -> Findings:
    """Compare up to six drafts of one position with the optimum by the subset formula."""
    worst = Worst(tokens="2..9", length=1, drafts="1..6")
    for index in range(instances):
        size, count = 2 + index % 8, 1 + index // 8 % 6
        ours, theirs = context.rng.dirichlet(np.full(size, float(context.rng.choice([0.3, 1.0, 3.0]))), 2)
        draft, target = (MarkovChain(law, np.empty((0, size, size))) for law in (ours, theirs))
        found = float(layer_efficiency(draft, target, count, 1)[0])
        worst.see("the optimal acceptance", found - float(optimal_acceptance(ours, theirs, count)))
        if count > 1:
            kseq = float(VERIFIERS["kseq"].law(ours, theirs, count).acceptance)
            worst.see("the acceptance of K-SEQ", found - kseq, method=Method.CONTROL)
    return Findings(worst.rows())


def mean_weights(context: CellContext, instances: int) -> Findings:
    """Compare the sum of the mean weights with the mean of the enumerated call, zeros, ties and equal laws included."""
    worst = Worst(tokens="2..4", length="1..3", drafts="1..3")
    for index in range(instances):
        draft, target, count, length, _ = small_models(context.rng, index)
        found = float(layer_efficiency(draft, target, count, length).sum())
        worst.see("expected accepted length", found - layer_law(draft, target, count, length, "priority").mean)
        if count > 1:
            one = layer_law(draft, target, 1, length, "priority").mean
            worst.see("expected accepted length of a single sequence", found - one, method=Method.CONTROL)
    return Findings(worst.rows())


def between(context: CellContext, instances: int) -> Findings:
    """Compare several sequences with the optimum level by level, and some with the block optimum."""
    least = Least(tokens="2..4", length="2..3", drafts="2..3")
    for index in range(instances):
        pair, length, count = _random(context.rng, index)
        gain = layer_efficiency(*pair, count, length).sum() - (block_efficiency(*pair, count, length, "priority") - 1.0)
        least.see("gain over the optimum level by level", gain)
    for _ in range(BETWEEN):
        pair = random_tabular_pair(2, 3, context.rng)
        lack = layer_efficiency(*pair, 2, 2).sum() - block_optimum(*pair, 2, 2).accepted_length
        least.see("lift minus block optimum, were it optimal in between", lack, method=Method.CONTROL)
    return Findings(least.rows())


def _random(rng: np.random.Generator, index: int) -> tuple[tuple[TabularModel, TabularModel], int, int]:
    tokens, length, count = SIZES[index % len(SIZES)]
    pair = random_tabular_pair(tokens, length + 1, rng, concentration=float(rng.choice([0.1, 0.3, 1.0, 3.0])))
    return pair, length, count


def _reached(blocks: list[Array]) -> Array:
    """The probability that each depth from 1 on is accepted or passed."""
    return np.array([float(np.sum(part)) for part in reaching(blocks)])[1:]
