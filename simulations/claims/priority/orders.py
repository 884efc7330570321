"""Beyond i.i.d. drafts: a mixture of priority orders is an optimal coupling for drafts of any joint law."""

from __future__ import annotations

from itertools import product

import numpy as np

from specproof.simulations.claims.claim import Claim, Settings
from specproof.simulations.claims.example_pairs import random_pair, random_rows
from specproof.simulations.claims.sampler_tests import RESOLUTION, control_tests, token_test
from specproof.simulations.claims.worst import Worst
from specproof.simulations.evidence import Method, from_check
from specproof.simulations.experiments.cell import Cell, CellContext, Findings
from specproof.simulations.samplers.inversion import invert
from specproof.simulations.samplers.orders import verify
from specproof.simulations.samplers.selection import Selection
from specproof.simulations.statistics import check_frequency
from specproof.theory.distribution import Array, dirichlet
from specproof.theory.transport.draft_sets import DraftSets
from specproof.theory.verifiers.priority.orders import (
    Drafted,
    PriorityOrders,
    drafted_sets,
    independent_drafts,
    optimal_orders,
)

GAP_TOLERANCE = 1e-8
"""Wolfe's algorithm minimises a square, so that half the digits of the distance are what rounding leaves."""

TESTS = 2
"""Emitted tokens, and the acceptance."""


def _cells(settings: Settings) -> list[Cell]:
    return [
        Cell(CLAIM.id, "exact", exact, {"instances": settings.sized(400, 4000)}, cost=6),
        Cell(CLAIM.id, "large", large, {"tokens": settings.sized(150, 400)}, cost=3),
        Cell(CLAIM.id, "simulation", simulation, {"trials": settings.sized(500_000, 10_000_000)}, TESTS, cost=2),
    ]


CLAIM = Claim(
    "priority.orders",
    "Edmonds 1970; Fujishige 1980; the transport problem of Sun et al. 2023, arXiv 2310.15141, section 3",
    "For drafts of any joint law, a mixture of priority orders with thinning accepts as often as possible.",
    _cells,
)


def exact(context: CellContext, instances: int) -> Findings:
    """Compare with the minimum over all sets of tokens, and run the rule on every tuple of drafts."""
    rng = context.rng
    worst = Worst(tokens="1..6", drafts="1..3")
    for _ in range(instances):
        count = int(rng.integers(1, 4))
        draft, target = random_pair(rng, 6)
        others, _ = random_rows(rng, draft.size, 4)
        rows = np.vstack([draft, others])[:count]
        coupling = optimal_orders(independent_drafts(rows), target)
        worst.see("gap, different drafts", coupling.gap, method=Method.CERTIFICATE, tolerance=GAP_TOLERANCE)
        error = coupling.acceptance - _least_cut(DraftSets.of_different(rows), target)
        worst.see("acceptance against all cuts, different drafts", error, tolerance=GAP_TOLERANCE)
        accepted = _accepted(coupling, rows)
        worst.see("accepted tokens against every tuple of drafts", np.abs(accepted - coupling.law().accepted).max())
        worst.see("output law", np.abs(coupling.law().output - target).max())
        error = np.abs(_accepted(coupling, rows[:, ::-1]) - coupling.law().accepted).max()
        worst.see("accepted tokens, drafts of other laws than declared", error, method=Method.CONTROL)

        distinct = min(count, int(np.count_nonzero(draft)))
        sets = DraftSets.without_replacement(draft, distinct)
        coupling = optimal_orders(drafted_sets(sets), target)
        worst.see("gap, without replacement", coupling.gap, method=Method.CERTIFICATE, tolerance=GAP_TOLERANCE)
        error = coupling.acceptance - _least_cut(sets, target)
        worst.see("acceptance against all cuts, without replacement", error, tolerance=GAP_TOLERANCE)
    return Findings(worst.rows())


def large(context: CellContext, tokens: int) -> Findings:
    """Prove the optimum of different drafts where no set law could be written down."""
    worst = Worst(tokens=tokens, drafts="2, 4")
    for count in (2, 4):
        drafts, target = dirichlet(tokens, 0.3, context.rng, count), dirichlet(tokens, 0.3, context.rng)
        drafted = independent_drafts(drafts)
        coupling = optimal_orders(drafted, target)
        worst.see("gap", coupling.gap, method=Method.CERTIFICATE, tolerance=GAP_TOLERANCE)
        error = coupling.acceptance - _one_order(drafted, drafts, target)
        worst.see("one order, the likeliest drafts first, for the optimum", error, method=Method.CONTROL)
    return Findings(worst.rows())


def simulation(context: CellContext, trials: int) -> Findings:
    """Run the sampler on drafts of three laws, and a broken control that never thins."""
    level = context.level
    drafts = np.array([[0.6, 0.2, 0.1, 0.1], [0.1, 0.6, 0.2, 0.1], [0.25, 0.25, 0.25, 0.25]])
    target = np.array([0.1, 0.15, 0.35, 0.4])
    coupling = optimal_orders(independent_drafts(drafts), target)
    drawn = np.stack([invert(row, context.rng.random(trials)) for row in drafts], axis=-1)
    emitted = verify(coupling, drawn, context.rng.random((trials, 3)))
    accepted = int(np.count_nonzero(emitted.accepted >= 0))
    check = check_frequency(accepted, trials, coupling.acceptance, level)
    first = np.take_along_axis(drawn, np.argmax(target[drawn], axis=-1, keepdims=True), axis=-1)[:, 0]
    likeliest = Selection(first, np.zeros(trials, dtype=np.int64))
    return Findings(
        [
            token_test("emitted tokens", emitted, target, level, k=3),
            from_check("acceptance", check, level=level, resolution=RESOLUTION, k=3),
            *control_tests({"the draft that the target likes best": likeliest}, target, level, k=3),
        ]
    )


def _least_cut(sets: DraftSets, target: Array) -> float:
    """The minimum of q(A) + P(some draft outside A) over all A, from the sets alone."""
    inside = (np.arange(2**target.size)[:, np.newaxis] >> np.arange(target.size) & 1).astype(bool)
    members = sets.membership.toarray().astype(bool)
    outside = (members[np.newaxis] & ~inside[:, np.newaxis]).any(axis=-1)
    return float((inside @ target + outside @ sets.probability).min())


def _accepted(coupling: PriorityOrders, drafts: Array) -> Array:
    """Probability that a draft is accepted and is token i, by following every tuple of drafts through every order."""
    accepted = np.zeros(drafts.shape[1])
    ranks = np.argsort(coupling.orders, axis=1)
    for drawn in product(range(drafts.shape[1]), repeat=len(drafts)):
        mass = np.prod(drafts[np.arange(len(drafts)), drawn])
        winners = np.array(drawn)[ranks[:, drawn].argmin(axis=1)]
        np.add.at(accepted, winners, mass * coupling.weights * coupling.thinning[winners])
    return accepted


def _one_order(drafted: Drafted, drafts: Array, target: Array) -> float:
    order = np.argsort(-drafts.mean(axis=0))
    return float(np.minimum(drafted.first(order), target).sum())
