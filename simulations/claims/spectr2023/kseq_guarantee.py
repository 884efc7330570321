"""K-SEQ accepts at least (1 - 1/e) of what the optimum accepts: an attack on the inequality."""

from __future__ import annotations

from functools import partial

import numpy as np

from simulations.attack import minimise
from simulations.claims.claim import Claim, Settings
from simulations.claims.spectr2023 import SOURCE
from simulations.claims.worst import TOLERANCE
from simulations.evidence import Evidence, Method, at_least
from simulations.experiments.cell import Cell, Findings
from theory.distribution import Array, softmax
from theory.kseq import kseq
from theory.transport import optimal_acceptance

GUARANTEE = 1.0 - np.exp(-1.0)
SIZES = (2, 3, 5, 8)
LOWEST_LOGIT = -15.0


def _cells(settings: Settings) -> list[Cell]:
    effort = {"generations": settings.sized(150, 3000)}
    return [Cell(CLAIM.id, f"attack-k{k}", attack, {"num_drafts": k, **effort}, cost=6) for k in (2, 4, 8, 16)]


CLAIM = Claim(
    "spectr2023.kseq-guarantee",
    f"{SOURCE}, the guarantee of Algorithm 2",
    "K-SEQ at rho* accepts at least (1 - 1/e) of what the optimum accepts.",
    _cells,
)


def attack(rng: np.random.Generator, level: float, num_drafts: int, generations: int) -> Findings:
    """Search for the smallest share of the optimum by differential evolution on the logits, at several sizes."""
    del level
    lowest, worst, evaluations = np.inf, np.empty(0), 0
    for size in SIZES:
        found = minimise(partial(_shares_of, num_drafts=num_drafts), LOWEST_LOGIT, 0.0, 2 * size, generations, rng)
        evaluations += found.evaluations
        if found.value < lowest:
            lowest, worst = found.value, found.point
    draft, target = (softmax(logits).tolist() for logits in np.split(worst, 2))

    def row(bound: float, method: Method) -> Evidence:
        return at_least(
            "smallest acceptance of K-SEQ as a share of the optimum",
            bound=bound,
            estimate=lowest,
            tolerance=TOLERANCE,
            trials=evaluations,
            method=method,
            k=num_drafts,
            draft=draft,
            target=target,
        )

    # A search that cannot break a false inequality proves nothing: nobody promises 97 per cent.
    return Findings([row(GUARANTEE, Method.ATTACK), row(0.97, Method.CONTROL)])


def _share(draft: Array, target: Array, num_drafts: int) -> Array:
    best = optimal_acceptance(draft, target, num_drafts)
    return np.divide(kseq(draft, target, num_drafts).acceptance, best, out=np.ones_like(best), where=best > 0)


def _shares_of(logits: Array, num_drafts: int) -> Array:
    """Shares of a population, shape (2 V, members): the draft's logits above the target's."""
    draft, target = np.split(logits.T, 2, axis=-1)
    return _share(softmax(draft), softmax(target), num_drafts)
