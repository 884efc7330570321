"""Rows of floats as integers and as fractions, digit for digit."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from specproof.theory.rationals import as_fractions, as_integers

WEIGHTS = st.lists(st.floats(0, 1), min_size=1, max_size=6).filter(any)


@given(WEIGHTS)
def test_integers_are_the_floats_in_one_unit(weights: list[float]) -> None:
    units = {Fraction(w) / n for w, n in zip(weights, as_integers(np.array(weights)), strict=True) if n}
    assert len(units) == 1
    assert units.pop().numerator == 1


@given(WEIGHTS)
def test_fractions_sum_to_one_and_keep_every_ratio(weights: list[float]) -> None:
    law = as_fractions(np.array(weights))
    assert sum(law) == 1
    assert [share * sum(map(Fraction, weights)) for share in law] == weights


def test_denormals_are_not_lost() -> None:
    assert as_fractions(np.array([5e-324, 1.0])) == (Fraction(1, 2**1074 + 1), Fraction(2**1074, 2**1074 + 1))
