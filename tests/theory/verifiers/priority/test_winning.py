"""Chances to win, read off the sets of the drafted tokens: the enumeration over all tokens and intervals agrees."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from specproof.theory.independent.priority_by_quadrature import priority_by_quadrature
from specproof.theory.verifiers.priority.coupling import PriorityCoupling
from specproof.theory.verifiers.priority.given_drafts import priority_given
from specproof.theory.verifiers.priority.shared import tile_shared
from specproof.theory.verifiers.priority.tiling import Tiling
from specproof.theory.verifiers.priority.winning import winning_chances

TOLERANCE = 1e-12
"""Gauss-Legendre sums on the other side, of terms that are each good to some units in the last place."""


def tiling_of(coupling: PriorityCoupling) -> Tiling:
    sets = coupling.intervals
    won = coupling.rates[np.newaxis]
    return Tiling(sets.starts, sets.lengths, sets.tokens, sets.offsets, coupling.first_interval, won)


@pytest.mark.parametrize("concentration", [0.05, 0.5, 5.0])
@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_every_tuple_of_drafts_wins_as_the_integrals_say(count: int, concentration: float) -> None:
    rng = np.random.default_rng(count)
    draft, target = rng.dirichlet(np.full(5, concentration), 2) + 1e-6
    coupling = PriorityCoupling(draft / draft.sum(), target / target.sum(), count)
    tuples = np.array(list(product(range(5), repeat=count)))
    tiling = tiling_of(coupling)
    found = np.array([winning_chances(tiling, drafts[np.newaxis])[0] for drafts in tuples])
    np.testing.assert_allclose(found.sum(axis=1), 1.0, atol=1e-14)
    known = priority_by_quadrature(coupling.draft, coupling.target, tuples)
    np.testing.assert_allclose(found * coupling.thinning[tuples], known, atol=TOLERANCE)
    given = priority_given(coupling.draft, coupling.target, tuples)
    np.testing.assert_allclose(given, found * coupling.thinning[tuples], atol=1e-14)


def test_tokens_that_share_a_set_win_in_proportion_to_their_drafts() -> None:
    draft, target = np.array([0.2, 0.3, 0.25, 0.25]), np.array([0.4, 0.6, 0.0, 0.0])
    tiling = tile_shared(draft, target, 3, 1e-6)
    assert tiling.first[0, 0] == tiling.first[0, 1] != tiling.first[0, 2]
    chances = winning_chances(tiling, np.array([[0, 1, 1]]))
    np.testing.assert_allclose(chances, [[1 / 3, 1 / 3, 1 / 3]], atol=1e-15)
    one, other = (winning_chances(tiling, np.array([drafts])) for drafts in ([0, 1, 2], [0, 0, 2]))
    np.testing.assert_allclose(one, other, atol=1e-15)


def test_a_token_that_owns_nothing_never_wins() -> None:
    coupling = PriorityCoupling([0.5, 0.5, 0.0], [0.25, 0.25, 0.5], 2)
    assert winning_chances(tiling_of(coupling), np.array([[2, 0]])).tolist() == [[0.0, 1.0]]


def test_a_set_below_the_resolution_of_its_place_has_its_order() -> None:
    draft = np.array([1e-300, 0.5, 0.5])
    coupling = PriorityCoupling(draft, [1e-300, 0.25, 0.75], 2)
    chances = np.array([winning_chances(tiling_of(coupling), np.array([pair]))[0] for pair in ([0, 1], [0, 2], [1, 2])])
    np.testing.assert_allclose(chances.sum(axis=1), 1.0, atol=1e-15)
    assert chances[2].tolist() == [0.0, 1.0]


@pytest.mark.parametrize("drafts", [[0, 1], [1, 0]])
def test_of_sets_with_one_start_the_shorter_lies_below(drafts: list[int]) -> None:
    starts, lengths, tokens = np.array([0.5, 0.5, 0.0]), np.array([1e-20, 0.5, 0.5]), np.arange(3)
    tiling = Tiling(starts, lengths, tokens, np.array([0, 3]), tokens[np.newaxis], np.zeros((1, 3)))
    assert winning_chances(tiling, np.array([drafts]))[0].tolist() == drafts
