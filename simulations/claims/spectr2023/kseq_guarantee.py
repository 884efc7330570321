"""K-SEQ accepts at least (1 - 1/e) of what the optimum accepts: an attack, and the worst case that it should end at."""

from __future__ import annotations

import json
from functools import partial

import numpy as np

from simulations.attack import Closest, minimise, polish
from simulations.claims.claim import Claim, Settings
from simulations.claims.instances import random_rows
from simulations.claims.spectr2023 import SOURCE
from simulations.claims.worst import TOLERANCE, Worst
from simulations.evidence import Evidence, Method, at_least
from simulations.experiments.cell import Cell, Findings
from theory.distribution import Array, softmax
from theory.kseq import kseq
from theory.kseq_certificate import enclose
from theory.kseq_guarantee import GUARANTEE, guaranteed_share, worst_pair, worst_share, worst_share_limit
from theory.transport import certify, optimal_acceptance

DRAFT_COUNTS = range(2, 17)
SIZES = (2, 3, 5, 8)
"""Vocabularies. Tokens of one ratio q/p can be merged without a change: V tokens are V plateaus of any length."""

LOWEST_LOGIT = -15.0
SHORTFALL = 0.01
"""A search that cannot break the worst case raised by this much proves nothing."""


def _cells(settings: Settings) -> list[Cell]:
    effort = {"generations": settings.sized(150, 3000), "finish": settings.sized(600, 5000)}
    return [
        *(Cell(CLAIM.id, f"attack-k{k}", attack, {"num_drafts": k, **effort}, cost=3) for k in DRAFT_COUNTS),
        Cell(CLAIM.id, "random", random, {"instances": settings.sized(500, 12_500)}, cost=2),
        Cell(CLAIM.id, "worst-case", worst_case, {"most_drafts": settings.sized(1_000, 100_000)}),
    ]


CLAIM = Claim(
    "spectr2023.kseq-guarantee",
    f"{SOURCE}, the guarantee of Algorithm 2",
    "K-SEQ at rho* accepts at least (1 - 1/e) of the optimum; the worst share is 8/9 for 2 drafts, 0.826 for many.",
    _cells,
)


def attack(rng: np.random.Generator, level: float, num_drafts: int, generations: int, finish: int) -> Findings:
    """Search for the smallest share of the optimum on the logits, at several sizes, and enclose it in fractions."""
    del level
    found = _search(rng, num_drafts, generations, finish)
    draft, target = (softmax(logits) for logits in np.split(found.point, 2))
    instance = {"k": num_drafts, "draft": draft.tolist(), "target": target.tolist()}
    low, high = _certified_share(draft, target, num_drafts)
    worst = worst_share(num_drafts)

    def row(quantity: str, bound: float, estimate: float, method: Method) -> Evidence:
        return at_least(
            quantity,
            bound=bound,
            estimate=estimate,
            tolerance=TOLERANCE,
            trials=found.evaluations,
            method=method,
            **instance,
        )

    rows = [
        row("smallest share of the optimum found", GUARANTEE, found.value, Method.ATTACK),
        row("smallest share of the optimum found, against the worst case", worst, found.value, Method.ATTACK),
        row("the same, lower end in fractions", worst, low, Method.CERTIFICATE),
        row("the same, if the worst case were higher", worst + SHORTFALL, found.value, Method.CONTROL),
    ]
    curve = {
        "num_drafts": num_drafts,
        "found": found.value,
        "certified_low": low,
        "certified_high": high,
        "worst": worst,
        "worst_limit": worst_share_limit(),
        "at_rho_k": guaranteed_share(num_drafts),
        "guarantee": GUARANTEE,
    }
    found_at = {"num_drafts": num_drafts, "share": found.value, "evaluations": found.evaluations}
    laws = {"draft": json.dumps(instance["draft"]), "target": json.dumps(instance["target"])}
    return Findings(rows, {"worst_share": [curve], "worst_instances": [found_at | laws]})


def random(rng: np.random.Generator, level: float, instances: int) -> Findings:
    """Compare shares of random pairs with the two bounds, at rho* and at rho = k."""
    del level
    least_at_star, least_at_k = np.inf, np.inf
    for tokens in (2, 3, 8, 40):
        draft, target = random_rows(rng, tokens, instances)
        for count in (1, 2, 3, 5, 16, 64):
            at_star, at_k = _share(draft, target, count), _share(draft, target, count, rho=count)
            least_at_star = min(least_at_star, float((at_star - worst_share(count)).min()))
            least_at_k = min(least_at_k, float((at_k - guaranteed_share(count)).min()))

    def row(quantity: str, least: float) -> Evidence:
        return at_least(
            quantity,
            bound=0.0,
            estimate=least,
            tolerance=TOLERANCE,
            trials=24 * instances,
            tokens="2..40",
            drafts="1..64",
        )

    return Findings(
        [
            row("share at rho* above the worst case", least_at_star),
            row("share at rho = k above 1 - (1 - 1/k)^k", least_at_k),
        ]
    )


def worst_case(rng: np.random.Generator, level: float, most_drafts: int) -> Findings:
    """Check the pairs that attain the bounds, in fractions, and that the worst case falls with k to its limit."""
    del rng, level
    worst = Worst(drafts="1..16")
    for count in (1, *DRAFT_COUNTS):
        draft, target = worst_pair(count)
        for end in _certified_share(draft, target, count):
            error = end - worst_share(count)
            worst.see("share of the worst pair, in fractions, against the formula", error, method=Method.CERTIFICATE)
        error = float(_share(draft, draft, count, rho=count)) - guaranteed_share(count)
        worst.see("share of equal laws at rho = k against 1 - (1 - 1/k)^k", error)
    broken = float(_share(draft, draft, count, rho=count))
    shares = np.array([worst_share(count) for count in range(1, most_drafts + 1)])
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
        bound=worst_share(count),
        estimate=broken,
        tolerance=TOLERANCE,
        method=Method.CONTROL,
        k=count,
    )
    return Findings([*worst.rows(), *rows, control])


def _search(rng: np.random.Generator, num_drafts: int, generations: int, finish: int) -> Closest:
    function = partial(_shares_of, num_drafts=num_drafts)
    best, evaluations = Closest(np.inf, np.empty(0), 0), 0
    for size in SIZES:
        rough = minimise(function, LOWEST_LOGIT, 0.0, 2 * size, generations, rng)
        found = polish(function, rough, LOWEST_LOGIT, 0.0, finish)
        evaluations += found.evaluations
        best = min(best, found, key=lambda closest: closest.value)
    return best._replace(evaluations=evaluations)


def _certified_share(draft: Array, target: Array, num_drafts: int) -> tuple[float, float]:
    """Two ends of the share in exact arithmetic, rounded once; NaN, which refutes, where there is no proof."""
    optimum, rule = certify(draft, target, num_drafts), enclose(draft, target, num_drafts)
    if not (optimum.is_proof and rule.is_proof):
        return np.nan, np.nan
    low, high = (float(acceptance / optimum.acceptance) for acceptance in rule.acceptance)
    return low, high


def _share(draft: Array, target: Array, num_drafts: int, rho: float | None = None) -> Array:
    best = optimal_acceptance(draft, target, num_drafts)
    found = kseq(draft, target, num_drafts, rho).acceptance
    return np.divide(found, best, out=np.ones_like(best), where=best > 0)


def _shares_of(logits: Array, num_drafts: int) -> Array:
    """Shares of a population, shape (2 V, members): the draft's logits above the target's."""
    draft, target = np.split(logits.T, 2, axis=-1)
    return _share(softmax(draft), softmax(target), num_drafts)
