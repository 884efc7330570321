"""What holds of every verifier that is registered."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from specproof.conformance.strategies import rough_pairs
from specproof.theory.errors import InvalidInput
from specproof.theory.transport import optimal_acceptance
from specproof.theory.verifiers import LOOKS, VERIFIERS


@pytest.mark.parametrize("name", VERIFIERS)
@given(pair=rough_pairs(), num_drafts=st.integers(1, 6))
def test_every_verifier_is_lossless_and_within_the_optimum(name, pair, num_drafts):
    draft, target = pair
    law = VERIFIERS[name].law(draft, target, num_drafts)
    assert law.is_lossless(target)
    assert law.acceptance <= optimal_acceptance(draft, target, num_drafts) + 1e-12
    assert VERIFIERS[name].acceptance_of(draft, target, num_drafts) == pytest.approx(law.acceptance, abs=1e-12)


@pytest.mark.parametrize("name", VERIFIERS)
def test_the_key_is_the_name(name):
    assert VERIFIERS[name].name == name
    assert VERIFIERS[name].label


def test_one_draft_ignores_the_others():
    law = VERIFIERS["single"].law([0.5, 0.5], [0.25, 0.75], 8)
    assert law.acceptance == pytest.approx(0.75)
    assert np.allclose(law.accepted, [0.25, 0.5])


SUBNORMAL = Fraction(5e-324)
"""The smallest float: what is computed below 1e-308 is rounded to multiples of it, whatever its size."""
CERTIFIED = [name for name, verifier in VERIFIERS.items() if verifier.certificate is not None]
GUARANTEED = [name for name, verifier in VERIFIERS.items() if verifier.guarantee is not None]

TINY = [
    ([1 - 1e-12, 1e-12, 0.0], [3e-13, 0.0, 1 - 3e-13]),  # one token is accepted, and is hardly ever wanted
    ([1.1e-13, 0.7, 0.3 - 1.1e-13], [1 - 3e-14, 3e-14, 0.0]),  # two are, one wanted and hardly ever drafted
    ([1.0, 1e-300], [1e-200, 1.0]),
]
"""Pairs whose acceptance is far below 1."""


@pytest.mark.parametrize("name", CERTIFIED)
@given(pair=rough_pairs(5), num_drafts=st.integers(1, 4))
@example(pair=(np.array([0.0, 1.0]), np.array([1.0, 5e-324])), num_drafts=2)
def test_the_acceptance_is_where_it_is_proven_to_be(name, pair, num_drafts):
    low, high = VERIFIERS[name].certificate(*pair, num_drafts)
    acceptance = Fraction(float(VERIFIERS[name].law(*pair, num_drafts).acceptance))
    rounding = 2 * num_drafts * pair[0].size * SUBNORMAL
    assert low * (1 - Fraction(1, 10**12)) - rounding <= acceptance <= high * (1 + Fraction(1, 10**12)) + rounding


@pytest.mark.parametrize("num_drafts", [1, 2, 5, 20])
@pytest.mark.parametrize("pair", TINY, ids=range(len(TINY)))
@pytest.mark.parametrize("name", CERTIFIED)
def test_a_tiny_acceptance_keeps_its_digits(name, pair, num_drafts):
    low, high = VERIFIERS[name].certificate(*pair, num_drafts)
    law = VERIFIERS[name].law(*pair, num_drafts)
    assert 0 < high < 1e-10
    for acceptance in (law.acceptance, law.accepted.sum()):
        assert float(low) * (1 - 1e-13) <= acceptance <= float(high) * (1 + 1e-13)
    by_subtraction = 1.0 - (np.array(pair[1]) - law.accepted).sum()
    assert abs(by_subtraction - float(low)) > 1e-9 * float(low), "a difference from 1 would not have passed"


@pytest.mark.parametrize("name", GUARANTEED)
@given(pair=rough_pairs(), num_drafts=st.integers(1, 6))
def test_the_guarantee_is_kept(name, pair, num_drafts):
    share = VERIFIERS[name].guarantee(num_drafts)
    assert 0 < share <= 1
    assert VERIFIERS[name].law(*pair, num_drafts).acceptance >= share * optimal_acceptance(*pair, num_drafts) - 1e-12


@pytest.mark.parametrize("name", CERTIFIED)
def test_certificates_are_of_one_pair(name):
    with pytest.raises(InvalidInput, match=r"takes one pair of shape \(V,\): loop over the rows"):
        VERIFIERS[name].certificate([[0.5, 0.5]] * 2, [0.5, 0.5], 2)


def test_each_verifier_has_a_look_of_its_own():
    looks = [LOOKS[name] for name in VERIFIERS]
    assert [look.label for look in looks] == [verifier.label for verifier in VERIFIERS.values()]
    assert len({(look.colour, look.marker) for look in looks}) == len(looks)
    assert {"optimal", "optimal_distinct", "recursive_distinct"} <= set(LOOKS)
