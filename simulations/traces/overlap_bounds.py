r"""What lists of likeliest tokens tell of two distributions: their overlap within bounds, and ranks where decided."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

from specproof.simulations.traces.logprob_forms import Scored

DECIDED = 1e-6
"""Bounds that lie no farther apart than what rounding to float32 does to a sum are taken for equal."""


class Known(NamedTuple):
    """What a list tells of one distribution."""

    chances: Mapping[str | int | None, float]
    """Probabilities by token, that of the text's own among them."""
    rest: float
    """The probability of all other tokens together."""
    cap: float
    """No other token has a larger probability."""


def overlap_bounds(draft: Scored, target: Scored) -> tuple[float, float]:
    r"""Bounds of :math:`\sum_i \min(p_i, q_i)`, given what servers list of both.

    Tokens that both list count with the smaller probability. One that only the draft lists, with p, counts at most
    with the cap of the target: the smallest probability that the target lists; the same the other way round. All other
    tokens share at most the smaller of the two remaining masses, from which those listed once are taken first.

    Examples
    --------
    >>> from math import log
    >>> from specproof.simulations.traces.logprob_forms import Listed, Scored
    >>> a, b, c = (lambda p, name=name: Listed(name, None, log(p)) for name in "abc")
    >>> low, high = overlap_bounds(Scored(a(0.6), (b(0.3),)), Scored(a(0.5), (c(0.25),)))
    >>> round(low, 3), round(high, 3)
    (0.5, 0.85)
    """
    key = _key(draft, target)
    ours, theirs = (_known(scored, key) for scored in (draft, target))
    both = math.fsum(
        min(ours.chances[token], theirs.chances[token]) for token in ours.chances if token in theirs.chances
    )
    draft_only = math.fsum(min(p, theirs.cap) for token, p in ours.chances.items() if token not in theirs.chances)
    target_only = math.fsum(min(q, ours.cap) for token, q in theirs.chances.items() if token not in ours.chances)
    # What the target gives to the draft's own tokens and to unlisted ones comes out of its rest, and likewise.
    more = min(theirs.rest + min(target_only, ours.rest), ours.rest + min(draft_only, theirs.rest))
    high = min(both + more, 1.0)
    return (high, high) if high - both <= DECIDED else (both, high)


def rank(scored: Scored) -> int:
    """How many tokens are likelier than the text's own; -1 where the list does not decide it.

    It is decided if the own token is likelier than the least likely of the others, and as likely as none of them.

    Examples
    --------
    >>> from specproof.simulations.traces.logprob_forms import Listed, Scored
    >>> others = (Listed("b", None, -1.0), Listed("c", None, -3.0))
    >>> rank(Scored(Listed("a", None, -2.0), others)), rank(Scored(Listed("a", None, -4.0), others))
    (1, -1)
    """
    if scored.rank is not None:
        return scored.rank
    own, others = scored.chosen.logprob, [other.logprob for other in scored.others]
    if own > math.log(0.5):
        return 0
    if not others or own <= min(others) or own in others:
        return -1
    return sum(other > own for other in others)


def _key(draft: Scored, target: Scored) -> str | None:
    """Choose the field by which tokens of both lists can be told apart: their ids, or else their texts."""
    for field in ("token", "text"):
        lists = [[getattr(listed, field) for listed in (scored.chosen, *scored.others)] for scored in (draft, target)]
        # Different tokens may have one text, such as parts of one character: then nothing is known of them.
        if all(None not in names and len(set(names)) == len(names) for names in lists):
            return field
    return None


def _known(scored: Scored, key: str | None) -> Known:
    """Put a list into probabilities; without names to tell tokens by, only the text's own is known."""
    chances: dict[str | int | None, float] = {}
    if key is not None:
        chances = {getattr(listed, key): math.exp(listed.logprob) for listed in scored.others}
    # The own token may stand below the others, whose least likely then bounds all that are not listed.
    cap = min(chances.values(), default=1.0)
    chances[None if key is None else getattr(scored.chosen, key)] = math.exp(scored.chosen.logprob)
    rest = max(0.0, 1.0 - math.fsum(chances.values()))
    return Known(chances, rest, min(cap, rest))
