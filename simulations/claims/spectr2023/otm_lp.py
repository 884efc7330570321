"""The optimum with k i.i.d. drafts: a linear program, and a formula over subsets."""

from __future__ import annotations

from itertools import chain, combinations

import numpy as np

from simulations.claims.claim import Claim, Settings
from simulations.claims.instances import random_pair
from simulations.claims.spectr2023 import SOURCE
from simulations.claims.worst import Worst
from simulations.evidence import Method
from simulations.experiments.cell import Cell, Findings
from theory.distribution import Array, softmax, uniform
from theory.transport import certify, optimal_acceptance, solve_membership_lp

LP_TOLERANCE = 1e-9
"""HiGHS is asked for feasibility to 1e-10 in each constraint."""


def _cells(settings: Settings) -> list[Cell]:
    batches = range(settings.sized(5, 50))
    return [
        *(Cell(CLAIM.id, f"routes-{batch}", routes, {"instances": 100}, cost=4) for batch in batches),
        Cell(CLAIM.id, "large", large, {"tokens": settings.sized(5_000, 50_000)}, cost=2),
        Cell(CLAIM.id, "uniform-example", uniform_example),
    ]


CLAIM = Claim(
    "spectr2023.otm-lp",
    f"{SOURCE}, section 3; Hu et al. 2025, arXiv 2502.18779",
    "The best acceptance with k i.i.d. drafts is an optimal transport value: 1 + min over sets A of q(A) - p(A)^k.",
    _cells,
)


def routes(rng: np.random.Generator, level: float, instances: int) -> Findings:
    """Compute one optimum by formula, linear program, brute force over all subsets, and rational certificate."""
    del level
    worst = Worst(tokens="1..6", drafts="1..3")
    for _ in range(instances):
        draft, target = random_pair(rng, 6)
        count = int(rng.integers(1, 4))
        formula = float(optimal_acceptance(draft, target, count))
        brute = _brute_force(draft, target, count)
        plan = solve_membership_lp(draft, target, count)
        worst.see("subset formula against brute force", formula - brute)
        worst.see("subset formula against the linear program", formula - plan.acceptance, tolerance=LP_TOLERANCE)
        worst.see("duality gap of the linear program", plan.gap, tolerance=LP_TOLERANCE)
        worst.see(
            "subset formula against the rational certificate",
            _certificate_error(draft, target, count),
            method=Method.CERTIFICATE,
        )
        twin = _likeliest_first(draft, target, count)
        worst.see("sets by draft probability instead of by ratio", twin - brute, method=Method.CONTROL)
    return Findings(worst.rows())


def large(rng: np.random.Generator, level: float, tokens: int) -> Findings:
    """Certify a vocabulary that no linear program could take."""
    del level
    worst = Worst(tokens=tokens, drafts="1, 4, 8")
    draft = softmax(3.0 * rng.normal(size=tokens))
    target = softmax(np.log(draft) + rng.normal(size=tokens))
    for count in (1, 4, 8):
        error = _certificate_error(draft, target, count)
        worst.see("subset formula against the rational certificate", error, method=Method.CERTIFICATE)
    return Findings(worst.rows())


def uniform_example(rng: np.random.Generator, level: float) -> Findings:
    """Check the example with uniform laws: 1 - (1 - 1/r)^k for a target on d/r of the draft's d tokens."""
    del rng, level
    worst = Worst(d=100, r="2, 5, 10", k="1, 2, 5, 20")
    for ratio in (2, 5, 10):
        for count in (1, 2, 5, 20):
            found = optimal_acceptance(uniform(100), uniform(100, 100 // ratio), count)
            worst.see("uniform on d against uniform on d/r tokens", found - (1 - (1 - 1 / ratio) ** count))
    return Findings(worst.rows())


def _certificate_error(draft: Array, target: Array, num_drafts: int) -> float:
    proof = certify(draft, target, num_drafts)
    return float(proof.acceptance) - float(optimal_acceptance(draft, target, num_drafts)) if proof.is_proof else np.inf


def _brute_force(draft: Array, target: Array, num_drafts: int) -> float:
    subsets = chain.from_iterable(combinations(range(draft.size), size) for size in range(draft.size + 1))
    return min(float(1.0 + target[list(inside)].sum() - draft[list(inside)].sum() ** num_drafts) for inside in subsets)


def _likeliest_first(draft: Array, target: Array, num_drafts: int) -> float:
    order = np.argsort(-draft)
    inside = np.concatenate(([0.0], np.cumsum(draft[order])))
    covered = np.concatenate(([0.0], np.cumsum(target[order])))
    return float((1.0 + covered - inside**num_drafts).min())
