"""K-SEQ accepts at least (1 - 1/e) of what the optimum accepts: an attack, and the worst case that it should end at."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from specproof.simulations.attack import minimise, polish
from specproof.simulations.claims.claim import Claim, Settings
from specproof.simulations.claims.example_pairs import random_rows
from specproof.simulations.claims.spectr2023 import SOURCE
from specproof.simulations.claims.worst import TOLERANCE, Least, Worst
from specproof.simulations.evidence import Method, at_least
from specproof.simulations.experiments.cell import Cell, CellContext, Findings
from specproof.theory.distribution import Array
from specproof.theory.transport import certify, optimal_acceptance
from specproof.theory.transport.subset import acceptance_of_rows
from specproof.theory.verifiers.kseq.certificate import certify_kseq
from specproof.theory.verifiers.kseq.factor import smallest_valid
from specproof.theory.verifiers.kseq.guarantee import (
    GUARANTEE,
    guaranteed_share,
    kseq_worst_pair,
    kseq_worst_share,
    worst_share_limit,
)
from specproof.theory.verifiers.kseq.law import acceptance_at, kseq

DRAFT_COUNTS = range(2, 17)


class Structure(NamedTuple):
    """A family of laws that an attack searches: a cube of coordinates for each law, and the law at a point of it."""

    sizes: tuple[int, ...]
    """Vocabularies."""
    coordinates: Callable[[int], int]
    """How many coordinates a law over V tokens has."""
    laws: Callable[[Array, int], Array]
    """``laws(points, V)``: shape (members, coordinates) in [0, 1] to shape (members, V)."""


def _of_logits(logits: Array) -> Array:
    """A softmax of logits of a few dozen, which need no care."""
    weights = np.exp(logits)
    law: Array = weights / weights.sum(axis=-1, keepdims=True)
    return law


def _softmax(points: Array, tokens: int) -> Array:
    """Logits in a box of side 15."""
    del tokens
    return _of_logits(15.0 * points)


def _weights(points: Array, tokens: int) -> Array:
    """Weights as they are, down to 0 on the faces of the cube; nothing at all counts as uniform."""
    total = points.sum(axis=-1, keepdims=True)
    return np.where(total > 0, points / np.where(total > 0, total, 1.0), 1.0 / tokens)


def _levels(points: Array, tokens: int) -> Array:
    """Two levels: a mass spread evenly over the first tokens, and the rest over the others; both laws are nested."""
    length, mass = 1.0 + np.floor(points[:, :1] * (tokens - 1.001)), points[:, 1:]
    return np.where(np.arange(tokens) < length, mass / length, (1.0 - mass) / (tokens - length))


def _powers(points: Array, tokens: int) -> Array:
    """Power laws of the rank, from one end or from the other."""
    return _of_logits(-8.0 * (2.0 * points - 1.0) * np.log(np.arange(1, tokens + 1)))


STRUCTURES = {
    "softmax": Structure((2, 3, 5, 8), lambda tokens: tokens, _softmax),
    "weights": Structure((2, 3, 5, 8), lambda tokens: tokens, _weights),
    "two levels": Structure((16, 64), lambda _tokens: 2, _levels),
    "powers": Structure((16, 64), lambda _tokens: 1, _powers),
}
"""Tokens of one ratio q/p can be merged without a change: V tokens are V plateaus of any length, two levels three."""


class Attempt(NamedTuple):
    """Where a search of one structure and size ended."""

    structure: str
    draft: Array
    target: Array
    share: float
    low: float
    high: float
    evaluations: int

    def instance(self) -> dict[str, Any]:
        """What the evidence says of it."""
        return {"structure": self.structure, "draft": self.draft.tolist(), "target": self.target.tolist()}

    def record(self) -> dict[str, object]:
        """A row of the published table, the laws as JSON."""
        laws = {"draft": json.dumps(self.draft.tolist()), "target": json.dumps(self.target.tolist())}
        sizes = {"structure": self.structure, "tokens": self.draft.size, "evaluations": self.evaluations}
        return sizes | {"share": self.share, "certified_low": self.low, "certified_high": self.high} | laws


SHORTFALL = 0.01
"""A search that cannot break the worst case raised by this much proves nothing."""


def _cells(settings: Settings) -> list[Cell]:
    effort = {"generations": settings.sized(80, 3000), "finish": settings.sized(250, 5000)}
    return [
        *(Cell(CLAIM.id, f"attack-k{k}", attack, {"num_drafts": k, **effort}, cost=1.5) for k in DRAFT_COUNTS),
        Cell(CLAIM.id, "random", random, {"instances": settings.sized(500, 12_500)}, cost=2),
        Cell(CLAIM.id, "worst-case", worst_case, {"most_drafts": settings.sized(1_000, 100_000)}),
    ]


CLAIM = Claim(
    "spectr2023.kseq-guarantee",
    f"{SOURCE}, the guarantee of Algorithm 2",
    "K-SEQ at rho* accepts at least (1 - 1/e) of the optimum; the worst share is 8/9 for 2 drafts, 0.826 for many.",
    _cells,
    formula=r"\alpha_{\text{K-SEQ}}(\rho^*)\ \ge\ \left(1-\frac{1}{e}\right)\alpha^*",
)


def attack(context: CellContext, num_drafts: int, generations: int, finish: int) -> Findings:
    """Search every structure and size for the smallest share of the optimum, and enclose the shares in fractions."""
    attempts = list(_search(context.rng, num_drafts, generations, finish))
    best, worst = min(attempts, key=lambda attempt: attempt.share), kseq_worst_share(num_drafts)
    shares = (
        ("smallest share of the optimum found", GUARANTEE, best.share, Method.ATTACK),
        ("smallest share of the optimum found, against the worst case", worst, best.share, Method.ATTACK),
        ("the same, lower end in fractions", worst, best.low, Method.CERTIFICATE),
        ("the same, if the worst case were higher", worst + SHORTFALL, best.share, Method.CONTROL),
    )
    together = sum(attempt.evaluations for attempt in attempts)
    least = Least(k=num_drafts, **best.instance())
    for quantity, bound, share, method in shares:
        least.see(quantity, share, bound=bound, instances=together, method=method)
    rows = least.rows()
    for attempt in attempts:
        quantity = f"smallest share found, {attempt.structure}, V = {attempt.draft.size}"
        alone = Least(k=num_drafts, **attempt.instance())
        alone.see(quantity, attempt.share, bound=worst, instances=attempt.evaluations, method=Method.ATTACK)
        rows += alone.rows()
    curve = {
        "num_drafts": num_drafts,
        "found": best.share,
        "certified_low": best.low,
        "certified_high": best.high,
        "worst": worst,
        "worst_limit": worst_share_limit(),
        "at_rho_k": guaranteed_share(num_drafts),
        "guarantee": GUARANTEE,
    }
    instances = [{"num_drafts": num_drafts} | attempt.record() for attempt in attempts]
    return Findings(rows, {"worst_share": [curve], "worst_instances": instances})


def random(context: CellContext, instances: int) -> Findings:
    """Compare shares of random pairs with the two bounds, at rho* and at rho = k."""
    least = Least(tokens="2..40", drafts="1..64")
    for tokens in (2, 3, 8, 40):
        draft, target = random_rows(context.rng, tokens, instances)
        for count in (1, 2, 3, 5, 16, 64):
            at_star, at_k = _share(draft, target, count), _share(draft, target, count, rho=count)
            least.see("share at rho* above the worst case", at_star - kseq_worst_share(count))
            least.see("share at rho = k above 1 - (1 - 1/k)^k", at_k - guaranteed_share(count))
    return Findings(least.rows())


def worst_case(_: CellContext, most_drafts: int) -> Findings:
    """Check the pairs that attain the bounds, in fractions, and that the worst case falls with k to its limit."""
    worst = Worst(drafts="1..16")
    for count in (1, *DRAFT_COUNTS):
        draft, target = kseq_worst_pair(count)
        for end in _certified_share(draft, target, count):
            error = end - kseq_worst_share(count)
            worst.see("share of the worst pair, in fractions, against the formula", error, method=Method.CERTIFICATE)
        error = float(_share(draft, draft, count, rho=count)) - guaranteed_share(count)
        worst.see("share of equal laws at rho = k against 1 - (1 - 1/k)^k", error)
    broken = float(_share(draft, draft, count, rho=count))
    shares = np.array([kseq_worst_share(count) for count in range(1, most_drafts + 1)])
    falls = {
        "worst case of k minus that of k + 1": float(-np.diff(shares).max()),
        "worst case minus its limit": float(shares.min()) - worst_share_limit(),
    }
    rows = [
        at_least(quantity, bound=0.0, estimate=least, tolerance=0.0, trials=most_drafts, drafts=f"1..{most_drafts}")
        for quantity, least in falls.items()
    ]
    control = at_least(
        "share of equal laws at rho = k, against the worst case at rho*",
        bound=kseq_worst_share(count),
        estimate=broken,
        tolerance=TOLERANCE,
        method=Method.CONTROL,
        k=count,
    )
    return Findings([*worst.rows(), *rows, control])


def _search(rng: np.random.Generator, num_drafts: int, generations: int, finish: int) -> Iterator[Attempt]:
    for name, structure in STRUCTURES.items():
        for tokens in structure.sizes:
            function = partial(_shares_of, num_drafts=num_drafts, structure=structure, tokens=tokens)
            rough = minimise(function, 0.0, 1.0, 2 * structure.coordinates(tokens), generations, rng)
            found = polish(function, rough, 0.0, 1.0, finish)
            draft, target = (structure.laws(half[np.newaxis], tokens)[0] for half in np.split(found.point, 2))
            ends = _certified_share(draft, target, num_drafts)
            yield Attempt(name, draft, target, found.value, *ends, found.evaluations)


def _certified_share(draft: Array, target: Array, num_drafts: int) -> tuple[float, float]:
    """Two ends of the share in exact arithmetic, rounded once; NaN, which refutes, where there is no proof."""
    optimum, rule = certify(draft, target, num_drafts), certify_kseq(draft, target, num_drafts)
    if not (optimum.is_proof and rule.is_proof):
        return np.nan, np.nan
    low, high = (float(acceptance / optimum.acceptance) for acceptance in rule.acceptance)
    return low, high


def _share(draft: Array, target: Array, num_drafts: int, rho: float | None = None) -> Array:
    return _quotient(kseq(draft, target, num_drafts, rho).acceptance, optimal_acceptance(draft, target, num_drafts))


def _shares_of(points: Array, num_drafts: int, structure: Structure, tokens: int) -> Array:
    """Shares of a population, shape (2 coordinates, members): the draft's above the target's.

    As :func:`_share` computes them, but of laws that need no checking, of which a search makes millions.
    """
    half = len(points) // 2
    draft, target = structure.laws(points[:half].T, tokens), structure.laws(points[half:].T, tokens)
    best = acceptance_of_rows(draft, target, np.array(num_drafts))
    return _quotient(acceptance_at(draft, target, num_drafts, smallest_valid(draft, target, num_drafts)), best)


def _quotient(found: Array, best: Array) -> Array:
    """The share of the optimum; of nothing, nothing is all."""
    return np.divide(found, best, out=np.ones_like(best), where=best > 0)
