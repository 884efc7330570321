"""What relaxation buys: lossy rules by their exact laws, beside the best that a bias in TV or in KL can buy."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize

from specproof.simulations.claims.claim import Claim, Settings
from specproof.simulations.claims.worst import Least, Worst
from specproof.simulations.evidence import Method
from specproof.simulations.experiments.cell import Cell, CellContext, Findings, Records
from specproof.theory.distribution import Array, dirichlet, softmax, total_variation
from specproof.theory.lossy import (
    LossyLaw,
    ensemble_verification,
    kl_optimal,
    relaxed_top,
    two_thresholds,
    typical_acceptance,
)
from specproof.theory.relaxed import decoding_opt

SOLVED = 1e-6
"""SciPy's SLSQP keeps its constraints and its objective to about this."""

SWEEPS = {
    "typical": np.geomspace(0.001, 0.5, 16),
    "relaxed_top": np.geomspace(0.001, 0.5, 16),
    "two_thresholds": np.geomspace(0.02, 1.0, 16),
    "ensemble": np.linspace(0.0, 1.0, 16),
    "kl_optimal": np.geomspace(1e-5, 1.0, 24),
    "decoding_opt": np.geomspace(1e-4, 0.5, 24),
}
"""What each rule's one parameter is varied over; the others are as engines have them."""


def _cells(settings: Settings) -> list[Cell]:
    return [
        Cell(CLAIM.id, "optimum", optimum, {"instances": settings.sized(12, 200)}),
        Cell(CLAIM.id, "rules", rules, {"instances": settings.sized(20, 600)}),
        Cell(CLAIM.id, "sweep", sweep),
    ]


CLAIM = Claim(
    "relaxed.kl-optimal",
    "specproof.theory.lossy, beside Yin et al. 2024, arXiv 2411.00841, section 4",
    "Under a bound on KL the draft's law clipped to [a q, b q] accepts most, and no lossy rule in use reaches it.",
    _cells,
)


def law_of(rule: str, draft: Array, target: Array, parameter: float) -> LossyLaw:
    """A rule of ``SWEEPS`` at a value of its parameter.

    Examples
    --------
    >>> law_of("ensemble", np.array([0.5, 0.5]), np.array([0.25, 0.75]), 1.0).rejection
    0.0
    """
    if rule == "typical":
        return typical_acceptance(draft, target, parameter, 0.3)
    if rule == "relaxed_top":
        return relaxed_top(draft, target, 10, parameter)
    if rule == "two_thresholds":
        return two_thresholds(draft, target, parameter, 1.0)
    if rule == "ensemble":
        return ensemble_verification(draft, target, parameter)
    if rule == "kl_optimal":
        return kl_optimal(draft, target, parameter)
    law = decoding_opt(draft, target, parameter * float(total_variation(draft, target)))
    some = law.output > 0
    kl = float((law.output[some] * np.log(law.output[some] / target[some])).sum())
    return LossyLaw(law.output, float(law.rejection), float(law.bias), max(kl, 0.0))


def optimum(context: CellContext, instances: int) -> Findings:
    """Compare the clipped law with a general solver, with random laws, and with what is lossless."""
    rng, worst, least = context.rng, Worst(tokens=4), Least(tokens=4)
    for _ in range(instances):
        draft, target = dirichlet(4, 2.0, rng, 2)
        bound = float(rng.uniform(0.005, 0.1))
        best = kl_optimal(draft, target, bound)
        solved = _by_solver(draft, target, bound, best.output)
        least.see("what the clipped law accepts minus what SLSQP finds", 1 - best.rejection - solved, tolerance=SOLVED)
        least.see("bound minus KL of the clipped law", bound - best.kl)
        near = [law for law in dirichlet(4, 1.0, rng, 200) if (law * np.log(law / target)).sum() <= bound]
        gaps = [float(1 - best.rejection - np.minimum(draft, law).sum()) for law in near]
        if gaps:
            least.see("clipped law against random laws", min(gaps), instances=len(gaps))
        lossless = kl_optimal(draft, target, 0.0)
        worst.see("rejection at no bias", lossless.rejection - float(total_variation(draft, target)), tolerance=1e-7)
    return Findings(worst.rows() + least.rows())


def rules(context: CellContext, instances: int) -> Findings:
    """Hold every rule against both bounds, and its law against one added up token by token."""
    rng, worst, least = context.rng, Worst(tokens=6), Least(tokens=6)
    for _ in range(instances):
        draft, target = dirichlet(6, 1.0, rng, 2)
        distance = float(total_variation(draft, target))
        for rule, parameters in SWEEPS.items():
            law = law_of(rule, draft, target, float(rng.choice(parameters)))
            worst.see(f"sum of what is emitted, {rule}", law.output.sum() - 1.0)
            least.see(f"rejection and TV bias minus TV(p, q), {rule}", law.rejection + law.tv - distance)
            best = kl_optimal(draft, target, law.kl)
            least.see(f"rejection minus the least at its KL, {rule}", law.rejection - best.rejection, tolerance=SOLVED)
            if rule in ("ensemble", "decoding_opt"):
                gap = best.rejection - law.rejection
                quantity = f"the least at its KL minus rejection, if {rule} were optimal"
                least.see(quantity, gap, method=Method.CONTROL, tolerance=SOLVED)
        single, scale = (float(value) for value in rng.uniform(0.05, 1.0, 2))
        added = _added_up(draft, target, single, scale)
        worst.see(
            "two thresholds, token by token", np.abs(two_thresholds(draft, target, single, scale).output - added).max()
        )
        plain = two_thresholds(draft, target, 1.0, 1.0)
        worst.see("two thresholds at 1, against the target", np.abs(plain.output - target).max())
    return Findings(worst.rows() + least.rows())


def sweep(_: CellContext) -> Findings:
    """Trade rejection for bias by every rule on one pair of 64 tokens, with laws like a language model's."""
    logits = -1.2 * np.log(np.arange(1.0, 65.0))
    noise = np.random.default_rng(0).standard_normal(64)
    target, draft = softmax(logits), softmax(logits + noise)
    rows: Records = []
    for rule, parameters in SWEEPS.items():
        for parameter in map(float, parameters):
            law = law_of(rule, draft, target, parameter)
            rows.append({"rule": rule, "parameter": parameter, "rejection": law.rejection, "tv": law.tv, "kl": law.kl})
    least = Least(tokens=64)
    least.see("rejection of the sweep", np.array([row["rejection"] for row in rows]))
    return Findings(least.rows(), {"relaxation": rows})


def _by_solver(draft: Array, target: Array, bound: float, start: Array) -> float:
    """The most that SLSQP finds to be accepted, from the target, from the claimed optimum and from between."""
    constraints = [
        {"type": "eq", "fun": lambda law: law.sum() - 1.0},
        {"type": "ineq", "fun": lambda law: bound - (law * np.log(law / target)).sum()},
    ]
    found = [
        minimize(
            lambda law: -np.minimum(draft, law).sum(),
            point,
            method="SLSQP",
            bounds=[(1e-9, 1.0)] * draft.size,
            constraints=constraints,
        )
        for point in (target, start, 0.5 * (target + start))
    ]
    return max(float(-it.fun) for it in found if it.success and bound - (it.x * np.log(it.x / target)).sum() > -1e-9)


def _added_up(draft: Array, target: Array, single: float, scale: float) -> Array:
    """What two thresholds emit, added up over the drafted token and what replaces it."""
    output = np.zeros_like(target)
    for token, drafted in enumerate(draft):
        kept = 1.0 if target[token] >= single else min(1.0, target[token] / scale)
        output[token] += drafted * kept
        others = np.where(np.arange(target.size) == token, 0.0, target)
        output += drafted * (1.0 - kept) * others / others.sum()
    return output
