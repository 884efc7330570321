"""Theorem 2: no lossless accept-or-resample rule rejects less often than TV."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np

from specproof.simulations.attack import Closest, minimise, polish
from specproof.simulations.claims.claim import Claim, Settings
from specproof.simulations.claims.example_pairs import random_pair
from specproof.simulations.claims.worst import TOLERANCE, Worst
from specproof.simulations.claims.yin2024 import SOURCE
from specproof.simulations.evidence import Method, at_least
from specproof.simulations.experiments.cell import Cell, CellContext, Findings
from specproof.theory.distribution import Array, softmax, total_variation
from specproof.theory.rationals import as_fractions
from specproof.theory.tradeoff import minimal_bias, optimal_resampling

LP_TOLERANCE = 3e-9
"""HiGHS is asked for feasibility to 1e-10 in each of at most 24 constraints."""

PRICE = 2.0
"""What the attack adds for a unit of bias: above 1, by which bias pays for the rejections that it saves."""

RANGE = (-8.0, 8.0)
"""Of every coordinate of the attack."""

APART, NEAR = 0.1, 0.01
"""The least TV(p, q) that the attack looks at, and how near to 0 it must come to say anything."""


def _cells(settings: Settings) -> list[Cell]:
    return [
        Cell(CLAIM.id, "program", program, {"instances": settings.sized(150, 3000)}, cost=3),
        *(
            Cell(
                CLAIM.id,
                f"attack-{tokens}",
                attack,
                {"tokens": tokens, "generations": settings.sized(150, 3000), "finish": settings.sized(2000, 20_000)},
                cost=3,
            )
            for tokens in (2, 4)
        ),
    ]


CLAIM = Claim(
    "yin2024.theorem2",
    f"{SOURCE}, Theorem 2",
    "No lossless rule that accepts with some b and resamples from some P has fewer rejections than TV in any context.",
    _cells,
    formula=r"1-\sum_x b(x)\,p(x)\ \ge\ \mathrm{TV}(p,q)",
)


def program(context: CellContext, instances: int) -> Findings:
    """Minimise the rejections over all lossless rules (b, P), context by context.

    With a = b p and s = R P the rules are the points of a + s = q, 0 <= a <= p, s >= 0, and R = sum(s): a linear
    program. The indicator of {q > p} is a dual point for both constraints, of value TV, in rational arithmetic.
    """
    worst = Worst(tokens="1..8")
    for _ in range(instances):
        draft, target = random_pair(context.rng, 8)
        distance = float(total_variation(draft, target))
        worst.see(
            "linear program over all rules, against TV", _program(draft, target) - distance, tolerance=LP_TOLERANCE
        )
        primal, dual = _certificate(draft, target)
        worst.see("dual value minus primal value, in rationals", float(dual - primal), method=Method.CERTIFICATE)
        worst.see("dual value against TV", float(dual) - distance, method=Method.CERTIFICATE)
        broken_control = _program(draft, np.full_like(target, 1.0 / target.size)) - distance
        worst.see("the program for another target", broken_control, tolerance=LP_TOLERANCE, method=Method.CONTROL)
    return Findings(worst.rows())


def attack(context: CellContext, tokens: int, generations: int, finish: int) -> Findings:
    """Search laws p, q and acceptances b for a lossless rule that rejects less, with the best P for each b.

    Losslessness is a penalty: minimised is R + 2 bias - TV(p, q), where the bias is the least over P. A lossless rule
    with fewer rejections than TV would have a value below 0, and near it so would biased ones, which lead there. As
    R + bias >= TV (Theorem 5) the value is at least the bias: it is 0 at lossless rules alone.
    """
    found = _search(partial(_excess, price=PRICE), tokens, generations, finish, context.rng)
    free = _search(partial(_excess, price=0.0), tokens, generations, finish, context.rng)
    quantity, shown = f"least of R + {PRICE:g} bias - TV over all rules", _describe(found.point)
    kind: dict[str, Any] = {"estimate": found.value, "trials": found.evaluations, **shown}
    return Findings(
        [
            at_least(quantity, bound=0.0, tolerance=TOLERANCE, method=Method.ATTACK, **kind),
            # A search that cannot come near 0 would not have found what lies below it.
            at_least(quantity, bound=NEAR, tolerance=0.0, method=Method.CONTROL, **kind),
            at_least(
                "least of R - TV over all rules, at no price for bias",
                bound=0.0,
                estimate=free.value,
                tolerance=TOLERANCE,
                trials=free.evaluations,
                method=Method.CONTROL,
                **_describe(free.point),
            ),
        ]
    )


def _search(
    function: Callable[[Array], Array], tokens: int, generations: int, finish: int, rng: np.random.Generator
) -> Closest:
    return polish(function, minimise(function, *RANGE, 3 * tokens, generations, rng), *RANGE, finish)


def _rules(coordinates: Array) -> tuple[Array, Array, Array]:
    """Split a population, shape (3 V, members), into draft, target and an acceptance that may be 0 and 1 exactly."""
    draft, target, accept = np.split(coordinates.T, 3, axis=-1)
    return softmax(draft), softmax(target), np.clip(0.5 + accept / RANGE[1], 0.0, 1.0)


def _excess(coordinates: Array, price: float) -> Array:
    draft, target, accept = _rules(coordinates)
    distance = total_variation(draft, target)
    rejection = ((1.0 - accept) * draft).sum(axis=-1)
    value: Array = rejection + price * minimal_bias(draft, target, accept) - distance
    # Where p = q nothing need be rejected, and nothing would be learnt.
    return np.where(distance < APART, 1.0, value)


def _describe(point: Array) -> dict[str, Any]:
    draft, target, accept = (part[0] for part in _rules(point[:, np.newaxis]))
    numbers = {"bias": float(minimal_bias(draft, target, accept)), "tv": float(total_variation(draft, target))}
    laws = {"draft": draft, "target": target, "accept": accept}
    laws["resampling"] = optimal_resampling(draft, target, accept)
    return {**numbers, **{name: law.tolist() for name, law in laws.items()}}


def _program(draft: Array, target: Array) -> float:
    import cvxpy as cp  # takes over a second

    accepted, resampled = cp.Variable(draft.size, nonneg=True), cp.Variable(draft.size, nonneg=True)
    problem = cp.Problem(cp.Minimize(cp.sum(resampled)), [accepted + resampled == target, accepted <= draft])
    problem.solve(solver=cp.HIGHS, primal_feasibility_tolerance=1e-10, dual_feasibility_tolerance=1e-10)
    return float(problem.value)


def _certificate(draft: Array, target: Array) -> tuple[Fraction, Fraction]:
    """Values of the primal point a = min(p, q) and of the dual point 1{q > p}, of the stored laws in fractions."""
    pairs = list(zip(as_fractions(draft), as_fractions(target), strict=True))
    primal = sum((q - min(p, q) for p, q in pairs), Fraction(0))
    dual = sum((q - p for p, q in pairs if q > p), Fraction(0))
    return primal, dual
