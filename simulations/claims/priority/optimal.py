"""The priority coupling accepts as often as any verifier can."""

from __future__ import annotations

import numpy as np

from specproof.simulations.claims.claim import Claim, Settings
from specproof.simulations.claims.example_pairs import random_pair
from specproof.simulations.claims.priority import SOURCE
from specproof.simulations.claims.priority.hard_pairs import adversarial_pair, llm_shaped_pair, spread_pair
from specproof.simulations.claims.priority.lossless import ANY_DRAFT_COUNT, ANYTHING, MANY_DRAFTS
from specproof.simulations.claims.spectr2023.otm_lp import LP_TOLERANCE
from specproof.simulations.claims.worst import Worst
from specproof.simulations.evidence import Method
from specproof.simulations.experiments.cell import Cell, CellContext, Findings
from specproof.theory.distribution import Array
from specproof.theory.transport import certify, optimal_acceptance, solve_membership_lp
from specproof.theory.verifiers.priority import PriorityCoupling


def _cells(settings: Settings) -> list[Cell]:
    return [
        Cell(CLAIM.id, "routes", routes, {"instances": settings.sized(150, 5000)}, cost=4),
        Cell(CLAIM.id, "hard", hard, {"instances": settings.sized(8000, 100_000)}, cost=7),
        Cell(CLAIM.id, "many-drafts", many_drafts, {"instances": settings.sized(400, 10_000)}),
        Cell(CLAIM.id, "large", large, {"tokens": settings.sized(152_064, 262_144)}, cost=2),
        Cell(CLAIM.id, "proved", proved, {"tokens": settings.sized(2000, 20_000)}, cost=2),
    ]


CLAIM = Claim(
    "priority.optimal",
    f"{SOURCE}; the optimum of Sun et al. 2023, section 3, and Hu et al. 2025, arXiv 2502.18779",
    "The priority coupling accepts with the optimal probability 1 + min over sets A of q(A) - p(A)^k.",
    _cells,
    formula=r"\Pr(\text{accept})=1+\min_A\bigl(q(A)-p(A)^k\bigr)",
)


def routes(context: CellContext, instances: int) -> Findings:
    """Compare with the linear program, the subset formula and the rational certificate; and two simpler tilings."""
    rng = context.rng
    worst = Worst(tokens="1..6", drafts="1..3")
    for _ in range(instances):
        draft, target = random_pair(rng, 6)
        count = int(rng.integers(1, 4))
        found, best = _accepted(draft, target, count), float(optimal_acceptance(draft, target, count))
        plan = solve_membership_lp(draft, target, count)
        worst.see("acceptance against the linear program", found - plan.acceptance, tolerance=LP_TOLERANCE)
        worst.see("acceptance against the subset formula", found - best)
        worst.see("acceptance against a rational proof", _proof_error(draft, target, count), method=Method.CERTIFICATE)
    draft, target = llm_shaped_pair(rng, 500)  # every large pair has tokens that must be cut, not so the small ones
    best = float(optimal_acceptance(draft, target, 4))
    orders = {"by ratio": np.argsort(target / draft), "the likeliest lowest": np.argsort(-draft)}
    for name, order in orders.items():
        error = _without_cuts(draft, target, 4, order) - best
        worst.see(f"acceptance with one interval for each token, {name}", error, method=Method.CONTROL)
    return Findings(worst.rows())


def hard(context: CellContext, instances: int) -> Findings:
    """Compare with the subset formula on pairs made to break it."""
    worst = Worst(tokens="1..60", drafts=", ".join(map(str, ANY_DRAFT_COUNT)))
    for _ in range(instances):
        draft, target = adversarial_pair(context.rng, 60)
        count = int(context.rng.choice(ANY_DRAFT_COUNT))
        error = _accepted(draft, target, count) - float(optimal_acceptance(draft, target, count))
        worst.see("acceptance against the subset formula", error, tolerance=ANYTHING)
    return Findings(worst.rows())


def many_drafts(context: CellContext, instances: int) -> Findings:
    """Compare with the subset formula for numbers of drafts far beyond any use, on few tokens."""
    worst = Worst(tokens="2..5", drafts=", ".join(map(str, MANY_DRAFTS)))
    for count in MANY_DRAFTS:
        for _ in range(instances):
            draft, target = spread_pair(context.rng, count)
            error = _accepted(draft, target, count) - float(optimal_acceptance(draft, target, count))
            worst.see("acceptance against the subset formula", error, tolerance=ANYTHING)
    return Findings(worst.rows())


def large(context: CellContext, tokens: int) -> Findings:
    """Compare with the subset formula at the vocabulary size of language models."""
    worst = Worst(tokens=tokens, drafts="1, 2, 8, 64")
    for count in (1, 2, 8, 64):
        draft, target = llm_shaped_pair(context.rng, tokens)
        error = _accepted(draft, target, count) - float(optimal_acceptance(draft, target, count))
        worst.see("acceptance against the subset formula", error, tolerance=1e-11)
    return Findings(worst.rows())


def proved(context: CellContext, tokens: int) -> Findings:
    """Compare with a proof in rational arithmetic beyond any linear program."""
    worst = Worst(tokens=tokens, drafts="2, 8")
    for count in (2, 8):
        error = _proof_error(*llm_shaped_pair(context.rng, tokens), count)
        worst.see("acceptance against a rational proof", error, method=Method.CERTIFICATE)
    return Findings(worst.rows())


def _accepted(draft: Array, target: Array, num_drafts: int) -> float:
    """The acceptance by the law of the intervals, not by the rates that they were cut for."""
    return float(PriorityCoupling(draft, target, num_drafts).law().acceptance)


def _proof_error(draft: Array, target: Array, num_drafts: int) -> float:
    proof = certify(draft, target, num_drafts)
    return _accepted(draft, target, num_drafts) - float(proof.acceptance) if proof.is_proof else np.inf


def _without_cuts(draft: Array, target: Array, num_drafts: int, order: np.ndarray) -> float:
    """The acceptance if each token simply has the next interval of its length, which is lossless too."""
    ends = np.minimum(np.cumsum(draft[order]), 1.0)
    mass = np.diff(ends**num_drafts, prepend=0.0)
    return float(np.minimum(mass, target[order]).sum())
