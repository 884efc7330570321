"""Theorem 2: no lossless accept-or-resample rule rejects less often than TV."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from simulations.claims.claim import Claim, Settings
from simulations.claims.instances import random_pair
from simulations.claims.worst import Worst
from simulations.claims.yin2024 import SOURCE
from simulations.evidence import Method, at_least
from simulations.experiments.cell import Cell, Findings
from theory.distribution import Array, total_variation

LP_TOLERANCE = 3e-9
"""HiGHS is asked for feasibility to 1e-10 in each of at most 24 constraints."""


def _cells(settings: Settings) -> list[Cell]:
    return [
        Cell(CLAIM.id, "program", program, {"instances": settings.sized(150, 3000)}, cost=3),
        Cell(CLAIM.id, "attack", attack, {"instances": settings.sized(2000, 50_000)}, cost=1),
    ]


CLAIM = Claim(
    "yin2024.theorem2",
    f"{SOURCE}, Theorem 2",
    "No lossless rule that accepts with some b and resamples from some P has fewer rejections than TV in any context.",
    _cells,
)


def program(rng: np.random.Generator, level: float, instances: int) -> Findings:
    """Minimise the rejections over all lossless rules (b, P), context by context.

    With a = b p and s = R P the rules are the points of a + s = q, 0 <= a <= p, s >= 0, and R = sum(s): a linear
    program. The indicator of {q > p} is a dual point for both constraints, of value TV, in rational arithmetic.
    """
    del level
    worst = Worst(tokens="1..8")
    for _ in range(instances):
        draft, target = random_pair(rng, 8)
        distance = float(total_variation(draft, target))
        worst.see(
            "linear program over all rules, against TV", _program(draft, target) - distance, tolerance=LP_TOLERANCE
        )
        primal, dual = _certificate(draft, target)
        worst.see("dual value minus primal value, in rationals", float(dual - primal), method=Method.CERTIFICATE)
        worst.see("dual value against TV", float(dual) - distance, method=Method.CERTIFICATE)
        twin = _program(draft, np.full_like(target, 1.0 / target.size)) - distance
        worst.see("the program for another target", twin, tolerance=LP_TOLERANCE, method=Method.CONTROL)
    return Findings(worst.rows())


def attack(rng: np.random.Generator, level: float, instances: int) -> Findings:
    """Search lossless rules for one that rejects less: b below q/p at random, P whatever is then missing."""
    del level
    closest, loosest = np.inf, np.inf
    for _ in range(instances):
        draft, target = random_pair(rng, 8)
        most = np.minimum(1.0, np.divide(target, draft, out=np.ones_like(target), where=draft > 0))
        accept = most * rng.random(draft.size) ** rng.choice([0.01, 0.1, 1.0])
        rejection = float(((1.0 - accept) * draft).sum())
        closest = min(closest, rejection - float(total_variation(draft, target)))
        # Without losslessness one may accept everything.
        loosest = min(loosest, -float(total_variation(draft, target)))
    kind: dict[str, Any] = {"bound": 0.0, "tolerance": 1e-12, "trials": instances, "tokens": "1..8"}
    return Findings(
        [
            at_least("least of R - TV over lossless rules", estimate=closest, method=Method.ATTACK, **kind),
            at_least("least of R - TV, if rules may be biased", estimate=loosest, method=Method.CONTROL, **kind),
        ]
    )


def _program(draft: Array, target: Array) -> float:
    import cvxpy as cp  # takes over a second

    accepted, resampled = cp.Variable(draft.size, nonneg=True), cp.Variable(draft.size, nonneg=True)
    problem = cp.Problem(cp.Minimize(cp.sum(resampled)), [accepted + resampled == target, accepted <= draft])
    problem.solve(solver=cp.HIGHS, primal_feasibility_tolerance=1e-10, dual_feasibility_tolerance=1e-10)
    return float(problem.value)


def _certificate(draft: Array, target: Array) -> tuple[Fraction, Fraction]:
    """Values of the primal point a = min(p, q) and of the dual point 1{q > p}, of the rational numbers stored."""
    pairs = [(Fraction(float(p)), Fraction(float(q))) for p, q in zip(draft, target, strict=True)]
    primal = sum((q - min(p, q) for p, q in pairs), Fraction(0))
    dual = sum((q - p for p, q in pairs if q > p), Fraction(0))
    return primal, dual
