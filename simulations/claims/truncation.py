"""Predictable truncation: how many drafts are verified may depend on the drafts before, and not on the draft itself."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import product

import numpy as np

from specproof.simulations.claims.claim import Claim, Settings
from specproof.simulations.claims.trees.small_models import small_models
from specproof.simulations.claims.worst import Worst
from specproof.simulations.evidence import Method, within
from specproof.simulations.experiments.cell import Cell, CellContext, Findings
from specproof.theory.chain import TabularModel
from specproof.theory.distribution import residual
from specproof.theory.trees.draft_trees import Node
from specproof.theory.trees.rules.registry import CallLaw

Keep = Callable[[Node], float]
"""The probability to verify a draft, from the drafts that it may depend on."""

WITNESS = (Fraction(65, 100), Fraction(35, 100))
"""What p = (.7, .3) and q = (.5, .5) emit where the second token is dropped unverified."""


def _cells(settings: Settings) -> list[Cell]:
    return [Cell(CLAIM.id, "enumeration", enumeration, {"instances": settings.sized(80, 800)})]


CLAIM = Claim(
    "truncation.predictable",
    "specproof, for verifiers that cut a draft short; the condition of a stopping time known one step ahead",
    "Verifying fewer drafts is lossless if each is kept or dropped unseen; else it emits (.65, .35) for (.5, .5).",
    _cells,
)


def enumeration(context: CellContext, instances: int) -> Findings:
    """Enumerate both kinds of truncation by random rules on small models, and the witness in fractions."""
    rng, worst = context.rng, Worst(tokens="2..4", length="1..3")
    for index in range(instances):
        instance = small_models(rng, index)
        pair, length = (instance.draft, instance.target), instance.length
        ways = [way for level in range(length + 1) for way in product(range(pair[0].num_states), repeat=level)]
        chances = dict(zip(ways, rng.choice([0.0, 0.5, 1.0], len(ways)), strict=True))
        law = truncated(*pair, length, chances.__getitem__, peeks=False)
        worst.see("joint law, each draft kept or dropped by those before it", law.bias(pair[1]))
        seen = truncated(*pair, length, chances.__getitem__, peeks=True)
        worst.see("joint law, a draft dropped for what it is", seen.bias(pair[1]), method=Method.CONTROL)
    draft, target = (TabularModel([law, [law, law]]) for law in ([0.7, 0.3], [0.5, 0.5]))
    found = truncated(draft, target, 1, lambda way: float(way != (1,)), peeks=True).completed(target).sum(axis=1)
    rows = [
        within(f"emitted token {token} of the witness: {exact}", exact=float(exact), estimate=value, tolerance=1e-12)
        for token, (exact, value) in enumerate(zip(WITNESS, map(float, found), strict=True))
    ]
    return Findings(worst.rows() + rows)


def truncated(draft: TabularModel, target: TabularModel, length: int, keep: Keep, *, peeks: bool) -> CallLaw:
    """The law of a call by the ratio test, token by token, that may stop verifying before any draft.

    Parameters
    ----------
    draft, target : TabularModel
    length : int
    keep : callable
        See :data:`Keep`. Where a draft is not verified the target's own token ends the call.
    peeks : bool
        Whether it sees the draft that it decides on; else it sees the drafts before it.

    Examples
    --------
    >>> draft, target = (TabularModel([law, [law, law]]) for law in ([0.75, 0.25], [0.5, 0.5]))
    >>> truncated(draft, target, 1, lambda way: 0.0, peeks=False).emitted
    {(0,): 0.5, (1,): 0.5}
    """
    emitted: dict[Node, float] = {}

    def end(way: Node, mass: float, law: np.ndarray) -> None:
        for token in map(int, np.flatnonzero(law)):
            if mass > 0:
                emitted[*way, token] = emitted.get((*way, token), 0.0) + mass * float(law[token])

    def go_on(way: Node, mass: float) -> None:
        law = target.conditionals[len(way)][way]
        if len(way) == length or mass == 0:
            end(way, mass, law)
            return
        proposal = draft.conditionals[len(way)][way]
        for token in map(int, np.flatnonzero(proposal)):
            drafted = mass * float(proposal[token])
            kept = drafted * keep((*way, token) if peeks else way)
            accepted = kept * min(1.0, float(law[token]) / float(proposal[token]))
            end(way, drafted - kept, law)
            end(way, kept - accepted, residual(proposal, law))
            go_on((*way, token), accepted)

    go_on((), 1.0)
    return CallLaw(emitted, length)
