"""Theorem 4: the least bias of over-acceptance, and the resampling laws that reach it."""

from __future__ import annotations

import numpy as np

from specproof.simulations.claims.claim import Claim, Settings
from specproof.simulations.claims.example_pairs import random_pair
from specproof.simulations.claims.worst import Worst
from specproof.simulations.claims.yin2024 import SOURCE
from specproof.simulations.evidence import Method
from specproof.simulations.experiments.cell import Cell, CellContext, Findings
from specproof.theory.distribution import Array, dirichlet
from specproof.theory.relaxed import relaxed_law
from specproof.theory.tradeoff import minimal_bias, optimal_resampling

LP_TOLERANCE = 3e-9
"""HiGHS is asked for feasibility to 1e-10 in each of at most 24 constraints."""

DIVISIBLE = 1e-9
"""The least R by which the filled room is divided. Both carry a rounding error of some 1e-16, so that the quotient may
be off by 1e-16/R, and must still sum to 1 within 1e-6 to be a law. Below it P* is taken in its place."""


def _cells(settings: Settings) -> list[Cell]:
    return [Cell(CLAIM.id, "program", program, {"instances": settings.sized(150, 3000)}, cost=4)]


CLAIM = Claim(
    "yin2024.theorem4",
    f"{SOURCE}, Theorem 4",
    "With acceptance b the least bias over all P is sum [bp - q]+, reached exactly by P* and all R P <= [q - bp]+.",
    _cells,
    formula=r"\min_P\mathrm{TV}(q,\,bp+RP)=\sum_x\,[b(x)p(x)-q(x)]_+,\qquad R=1-\sum_x b(x)p(x)",
)


def program(context: CellContext, instances: int) -> Findings:
    """Compare the closed form with a linear program over P, and with the laws said to be optimal and not."""
    rng = context.rng
    worst = Worst(tokens="1..8")
    for _ in range(instances):
        draft, target = random_pair(rng, 8)
        accept = random_acceptance(draft, target, rng)
        least = float(minimal_bias(draft, target, accept))
        worst.see("linear program over P", _program(draft, target, accept) - least, tolerance=LP_TOLERANCE)
        half = 0.5 * (np.abs(target - accept * draft).sum() - ((1 - accept) * draft).sum())
        worst.see("the other closed form, |q - bp|/2 - R/2", half - least)
        for name, resampling in _optimal(draft, target, accept, rng).items():
            worst.see(name, relaxed_law(draft, target, accept, resampling).bias - least)
        anything = dirichlet(draft.size, 1.0, rng)
        broken_control = relaxed_law(draft, target, accept, anything).bias - least
        worst.see("any P", broken_control, method=Method.CONTROL)
        broken_control = relaxed_law(draft, target, accept, target).bias - least
        worst.see("P = q, as Decoding-UNO has it", broken_control, method=Method.CONTROL)
    return Findings(worst.rows())


def random_acceptance(draft: Array, target: Array, rng: np.random.Generator) -> Array:
    """Draw an over-acceptance, min(1, q/p) <= b <= 1, now and then at either end."""
    least = np.minimum(1.0, np.divide(target, draft, out=np.ones_like(target), where=draft > 0))
    accept: Array = np.clip(least + (1.0 - least) * rng.uniform(-0.2, 1.2, draft.shape), least, 1.0)
    return accept


def _optimal(draft: Array, target: Array, accept: Array, rng: np.random.Generator) -> dict[str, Array]:
    """Return P*, and an optimal P that fills the room [q - bp]+ token by token in random order."""
    room = np.maximum(target - accept * draft, 0.0)
    rejection = float(((1.0 - accept) * draft).sum())
    filled, missing = np.zeros_like(room), rejection
    for token in rng.permutation(draft.size):
        filled[token] = min(room[token], missing)
        missing -= filled[token]
    greedy = filled / rejection if rejection > DIVISIBLE else optimal_resampling(draft, target, accept)
    return {"P*": optimal_resampling(draft, target, accept), "P filling [q - bp]+ in random order": greedy}


def _program(draft: Array, target: Array, accept: Array) -> float:
    import cvxpy as cp  # takes over a second

    rejection = float(((1.0 - accept) * draft).sum())
    resampled = cp.Variable(draft.size, nonneg=True)
    excess = cp.pos(accept * draft + resampled - target)
    problem = cp.Problem(cp.Minimize(cp.sum(excess)), [cp.sum(resampled) == rejection])
    problem.solve(solver=cp.HIGHS, primal_feasibility_tolerance=1e-10, dual_feasibility_tolerance=1e-10)
    return float(problem.value)
