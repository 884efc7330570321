r"""The limit of many drafts: in general expected rejections do not vanish.

At the first position after a rejection a batch of M drafts fails in the limit only by tokens that are never drafted,
with probability :math:`q_n(p_n = 0)`; every other position is tested as before. So the limit is 0 exactly if

- :math:`p_1 > 0` wherever :math:`q_1 > 0`, and
- :math:`p_n = q_n` for n >= 2, after every prefix that the target can emit:

with a horizon of 1 and a draft of full support, for instance, or if the two laws are equal.
"""

from __future__ import annotations

import numpy as np

from specproof.simulations.claims.claim import Claim, Settings
from specproof.simulations.claims.worst import Worst
from specproof.simulations.claims.yin2024 import SOURCE
from specproof.simulations.claims.yin2024.example_chain import instance, simulated_pair
from specproof.simulations.evidence import Method, at_least
from specproof.simulations.experiments.cell import Cell, CellContext, Findings
from specproof.theory.chain import MarkovChain, random_markov_pair
from specproof.theory.distribution import Array
from specproof.theory.rejections import batch_limit, expected_rejections_batch
from specproof.theory.rejections.batch import expected_rejections_leaving

MANY = 2**10
MIXED = 0.1
"""Share of the uniform law in every full draft: a token of p >= 0.025 is missed by 2^10 drafts less than once in 10^11.
"""

COARSE = 4
"""Largest weight in a row with zeros: over 4 states what is ever drafted has p >= 1/16, and 2^10 drafts miss it less
than once in 10^28; what is not always drafted loses q(p = 0) p >= 1/256 of the target with every draft."""

CLOSE = 1e-9


def _cells(settings: Settings) -> list[Cell]:
    return [Cell(CLAIM.id, "limit", limit, {"instances": settings.sized(40, 800)}, cost=4)]


CLAIM = Claim(
    "yin2024.batch-limit",
    f"{SOURCE}, Theorem 3 as M grows",
    "Expected rejections fall with M to a limit, above 0 unless p_1 covers q_1 and the laws are equal from then on.",
    _cells,
)


def limit(context: CellContext, instances: int) -> Findings:
    """Compare the limit with very many drafts, check the fall towards it, and where it is 0 and where above."""
    rng = context.rng
    worst = Worst(states="2..4", horizon="2..6")
    least = np.inf
    for index in range(instances):
        size, horizon, full = int(rng.integers(2, 5)), int(rng.integers(2, 7)), index % 2 == 0
        draft, target = _full_pair(size, horizon, rng) if full else _coarse_pair(size, horizon, rng)
        end = batch_limit(draft, target)
        many = expected_rejections_batch(draft, target, MANY)
        worst.see(f"limit against {MANY} drafts", many - end, tolerance=CLOSE)
        worst.see("limit against 2 drafts", expected_rejections_batch(draft, target, 2) - end, method=Method.CONTROL)
        forgotten = expected_rejections_leaving(draft, target, _nothing)
        quantity = f"limit with q where p = 0 forgotten, against {MANY} drafts"
        worst.see(quantity, many - forgotten, tolerance=CLOSE, method=Method.CONTROL)
        path = [expected_rejections_batch(draft, target, count) for count in (1, 2, 3, 5, 9, 33, 129)] + [end]
        worst.see("rise along M = 1, 2, 3, 5, 9, 33, 129, limit", np.maximum(np.diff(path), 0.0).max())
        # Coarse laws may happen to be equal, and the limit 0.
        least = min(least, end) if full else least
        _see_zero(worst, draft, target)
    shown = batch_limit(*simulated_pair())
    rows = [
        at_least("least limit of full drafts", bound=1e-6, estimate=least, tolerance=0.0, trials=(instances + 1) // 2),
        at_least("limit on the simulated chain", bound=1e-6, estimate=shown, tolerance=0.0, **instance()),
    ]
    return Findings(worst.rows() + rows)


def _see_zero(worst: Worst, draft: MarkovChain, target: MarkovChain) -> None:
    """Look at the limit where it should be 0, and at broken controls that each lack one of the two conditions."""
    covering, later = np.full_like(draft.initial, 1.0 / draft.num_states), target.transitions
    missing = np.where(np.arange(draft.num_states) == target.initial.argmax(), 0.0, 1.0 / (draft.num_states - 1))
    quantity = "limit where p_1 > 0 and later laws are equal"
    worst.see(quantity, batch_limit(MarkovChain(covering, later), target))
    worst.see(
        f"{quantity}, but p_1 lacks a token", batch_limit(MarkovChain(missing, later), target), method=Method.CONTROL
    )
    other = MarkovChain(covering, draft.transitions)
    worst.see(f"{quantity}, but these are not", batch_limit(other, target), method=Method.CONTROL)


def _full_pair(size: int, horizon: int, rng: np.random.Generator) -> tuple[MarkovChain, MarkovChain]:
    """Draw chains, the draft's of full support."""
    draft, target = random_markov_pair(size, horizon, rng)
    return MarkovChain(_mixed(draft.initial), _mixed(draft.transitions)), target


def _coarse_pair(size: int, horizon: int, rng: np.random.Generator) -> tuple[MarkovChain, MarkovChain]:
    """Draw chains with zeros on both sides, their rows proportional to small integers."""
    draft, target = (
        MarkovChain(_coarse(rng, size), _coarse(rng, horizon - 1, size, size)) for _ in ("draft", "target")
    )
    return draft, target


def _coarse(rng: np.random.Generator, *shape: int) -> Array:
    weights = rng.integers(0, COARSE + 1, shape)
    weights[..., 0] += weights.sum(axis=-1) == 0
    rows: Array = weights / weights.sum(axis=-1, keepdims=True)
    return rows


def _mixed(rows: Array) -> Array:
    mixed: Array = (1.0 - MIXED) * rows + MIXED / rows.shape[-1]
    return mixed


def _nothing(draft: Array, target: Array) -> Array:
    """Return the remainder of a batch to which every token is drafted sooner or later."""
    del draft
    return np.zeros_like(target)
