"""The limit of many drafts: expected rejections do not vanish."""

from __future__ import annotations

import numpy as np

from simulations.claims.claim import Claim, Settings
from simulations.claims.worst import Worst
from simulations.claims.yin2024 import SOURCE
from simulations.claims.yin2024.chain import instance, simulated_pair
from simulations.evidence import Method, at_least
from simulations.experiments.cell import Cell, Findings
from theory.chain import MarkovChain, random_markov_pair
from theory.distribution import Array
from theory.rejections import batch_limit, expected_rejections_batch

MANY = 2**10
MIXED = 0.1
"""Share of the uniform law in every draft: a token of p >= 0.025 is missed by 2^10 drafts less than once in 10^11."""

CLOSE = 1e-9


def _cells(settings: Settings) -> list[Cell]:
    return [Cell(CLAIM.id, "limit", limit, {"instances": settings.sized(20, 400)}, cost=4)]


CLAIM = Claim(
    "yin2024.batch-limit",
    f"{SOURCE}, Theorem 3 as M grows",
    "Expected rejections fall with M to a limit that is not 0: only the first position after a rejection profits.",
    _cells,
)


def limit(rng: np.random.Generator, level: float, instances: int) -> Findings:
    """Compare the limit with very many drafts, check the fall towards it, and that it stays above 0."""
    del level
    worst = Worst(states="2..4", horizon="2..6")
    least = np.inf
    for _ in range(instances):
        size, horizon = int(rng.integers(2, 5)), int(rng.integers(2, 7))
        draft, target = random_markov_pair(size, horizon, rng)
        draft = MarkovChain(_mixed(draft.initial), _mixed(draft.transitions))
        end = batch_limit(draft, target)
        many = expected_rejections_batch(draft, target, MANY)
        worst.see(f"limit against {MANY} drafts", many - end, tolerance=CLOSE)
        worst.see("limit against 2 drafts", expected_rejections_batch(draft, target, 2) - end, method=Method.CONTROL)
        path = [expected_rejections_batch(draft, target, count) for count in (1, 2, 3, 5, 9, 33, 129)] + [end]
        worst.see("rise along M = 1, 2, 3, 5, 9, 33, 129, limit", np.maximum(np.diff(path), 0.0).max())
        least = min(least, end)
    shown = batch_limit(*simulated_pair())
    rows = [
        at_least("least limit of random chains", bound=1e-6, estimate=least, tolerance=0.0, trials=instances),
        at_least("limit on the simulated chain", bound=1e-6, estimate=shown, tolerance=0.0, **instance()),
    ]
    return Findings(worst.rows() + rows)


def _mixed(rows: Array) -> Array:
    mixed: Array = (1.0 - MIXED) * rows + MIXED / rows.shape[-1]
    return mixed
