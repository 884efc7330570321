"""Bounds from lists of likeliest tokens hold for all distributions that have such lists, and are reached by some."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from specproof.simulations.traces.logprob_forms import Listed, Scored
from specproof.simulations.traces.overlap_bounds import overlap_bounds, rank
from specproof.theory.distribution import dirichlet

V = 9


def listed(law: np.ndarray, token: int, top: int, ids: bool = True) -> Scored:
    """What a server tells of a position: the text's own token, and the likeliest others among the first ``top``."""
    order = [int(each) for each in np.argsort(-law, kind="stable")[:top] if each != token]
    own, *others = (Listed(f"t{each}", each if ids else None, math.log(law[each])) for each in (token, *order))
    return Scored(own, tuple(others))


def laws(seed: int) -> tuple[np.ndarray, np.ndarray, int]:
    rng = np.random.default_rng(seed)
    draft = dirichlet(V, 0.7, rng)
    mixed = 0.5 * draft + 0.5 * dirichlet(V, 0.7, rng)
    return draft, mixed, int(rng.choice(V, p=mixed))


@pytest.mark.parametrize("seed", range(40))
def test_the_overlap_lies_within_its_bounds_which_close_as_lists_grow(seed: int) -> None:
    draft, target, token = laws(seed)
    overlap = np.minimum(draft, target).sum()
    widths = []
    for top in range(V + 1):
        for ids in (True, False):
            low, high = overlap_bounds(listed(draft, token, top, ids), listed(target, token, top, ids))
            assert low <= overlap + 1e-12
            assert high >= overlap - 1e-12
        widths.append(high - low)
    assert widths[-1] == 0.0
    assert all(later <= earlier + 1e-12 for earlier, later in pairwise(widths))


@pytest.mark.parametrize("seed", range(40))
def test_a_rank_that_is_told_is_the_true_one_and_is_told_of_whatever_is_listed_above_another(seed: int) -> None:
    draft, _, token = laws(seed)
    true = int((draft > draft[token]).sum())
    for top in range(V + 1):
        told = rank(listed(draft, token, top))
        assert told in (-1, true)
        if true + 1 < top:
            assert told == true


def test_a_rank_is_not_told_of_equally_likely_tokens() -> None:
    own, likelier, equal, below = (
        Listed(name, None, value) for name, value in zip("abcd", (-2, -1, -2, -3), strict=True)
    )
    assert rank(Scored(own, (likelier, below))) == 1
    assert rank(Scored(own, (likelier, equal, below))) == -1
    assert rank(Scored(own)) == -1
    assert rank(Scored(own._replace(logprob=-0.5))) == 0
    assert rank(Scored(own, rank=7)) == 7


def test_the_least_likely_of_a_list_bounds_the_others_even_if_the_text_s_own_token_is_below_all() -> None:
    """The own token is listed in any case; tokens likelier than it may be missing."""
    draft, target = np.array([0.4, 0.3, 0.29, 0.01]), np.array([0.4, 0.29, 0.3, 0.01])
    low, high = overlap_bounds(listed(draft, 3, 2), listed(target, 3, 2))
    assert low == pytest.approx(0.41)
    assert low <= np.minimum(draft, target).sum() <= high


def test_upper_bounds_are_reached() -> None:
    """Lists of a, b and of a, c, each of 0.5 and 0.2: both may have a, b and c to 0.5, 0.2, 0.2, and share the rest."""
    a, b, c = (Listed(name, None, math.log(p)) for name, p in (("a", 0.5), ("b", 0.2), ("c", 0.2)))
    low, high = overlap_bounds(Scored(a, (b,)), Scored(a, (c,)))
    assert (low, high) == (pytest.approx(0.5), pytest.approx(1.0))
    d, e = (Listed(name, None, math.log(0.45)) for name in "de")
    rare = a._replace(logprob=math.log(0.1))
    # The draft's rest is 0.45, the target's 0.45: d and e may both be had by the other.
    assert overlap_bounds(Scored(rare, (d,)), Scored(rare, (e,))) == (pytest.approx(0.1), pytest.approx(1.0))
    d, e = (Listed(name, None, math.log(0.8)) for name in "de")
    # Here the rest is 0.1: the draft gives e, and the target d, no more than that.
    assert overlap_bounds(Scored(rare, (d,)), Scored(rare, (e,))) == (pytest.approx(0.1), pytest.approx(0.3))


def test_tokens_that_cannot_be_told_apart_tell_nothing() -> None:
    own = Listed("a", None, math.log(0.5))
    parts = tuple(Listed("\ufffd", None, math.log(p)) for p in (0.2, 0.1))
    assert overlap_bounds(Scored(own, parts), Scored(own, parts)) == (pytest.approx(0.5), pytest.approx(1.0))
    with_ids = tuple(part._replace(token=number) for number, part in enumerate(parts, 7))
    known = Scored(own._replace(token=6), with_ids)
    assert overlap_bounds(known, known) == (pytest.approx(0.8), pytest.approx(1.0))
