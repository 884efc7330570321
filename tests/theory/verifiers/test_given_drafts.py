"""Rules for given drafts: against rules by hand, and averaged over the drafts against the laws."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spectr import RULES

from specproof.conformance.strategies import Pair, rough_pairs, with_degenerate
from specproof.theory.distribution import as_pair
from specproof.theory.independent.sequences_by_enumeration import enumerable
from specproof.theory.verifiers import VERIFIERS

TOLERANCE = 1e-12


def drawable(draft: np.ndarray, num_drafts: int) -> np.ndarray:
    """All tuples of tokens that can be drafted."""
    return np.array(list(product(np.flatnonzero(draft).tolist(), repeat=num_drafts)))


@given(pair=rough_pairs(4), num_drafts=st.integers(1, 3))
@with_degenerate(num_drafts=2)
@settings(deadline=None)
@pytest.mark.parametrize("name", enumerable())
def test_averaged_over_the_drafts_it_is_the_law(name: str, pair: Pair, num_drafts: int) -> None:
    draft, target = as_pair(*pair)
    drafts = drawable(draft, num_drafts)
    chances = VERIFIERS[name].given_drafts(draft, target, drafts)
    assert chances.shape == drafts.shape
    assert chances.min() >= 0.0
    assert chances.sum(axis=1).max() <= 1.0 + TOLERANCE
    weight = draft[drafts].prod(axis=1)[:, np.newaxis] * chances
    accepted = np.bincount(drafts.ravel(), weights=weight.ravel(), minlength=draft.size)
    assert accepted == pytest.approx(VERIFIERS[name].law(draft, target, num_drafts).accepted, abs=TOLERANCE)


@given(pair=rough_pairs(4), num_drafts=st.integers(1, 3))
@with_degenerate(num_drafts=2)
@settings(deadline=None)
@pytest.mark.parametrize("name", RULES)
def test_against_rules_by_hand(name: str, pair: Pair, num_drafts: int) -> None:
    draft, target = as_pair(*pair)
    drafts = drawable(draft, num_drafts)
    accept, _ = RULES[name](draft, target, num_drafts)
    known = np.array([accept(tuple(row)) for row in drafts.tolist()])
    # Unlikely drafts may be judged by a residual that is rounding.
    weight = draft[drafts].prod(axis=1)[:, np.newaxis]
    assert weight * VERIFIERS[name].given_drafts(draft, target, drafts) == pytest.approx(weight * known, abs=TOLERANCE)


def test_one_by_hand() -> None:
    """Token 1 is kept with q/p = 1/3, and after it fails K-SEQ and recursion differ in what they ask of the next."""
    draft, target, drafts = np.array([0.4, 0.6]), np.array([0.8, 0.2]), np.array([[1, 0], [1, 1], [0, 1]])
    assert VERIFIERS["single"].given_drafts(draft, target, drafts) == pytest.approx(
        np.array([[1 / 3, 0], [1 / 3, 0], [1, 0]])
    )
    assert VERIFIERS["recursive"].given_drafts(draft, target, drafts) == pytest.approx(
        np.array([[1 / 3, 2 / 3], [1 / 3, 0], [1, 0]])
    )
