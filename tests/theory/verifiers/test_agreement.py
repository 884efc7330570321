"""How many drafts carry the accepted token: against every tuple of drafts, with rules written by hand."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spectr import RULES, Rule

from specproof.conformance.strategies import DEGENERATE, Pair, rough_pairs, with_degenerate
from specproof.theory.distribution import as_pair, dirichlet
from specproof.theory.errors import InvalidInput
from specproof.theory.verifiers import VERIFIERS
from specproof.theory.verifiers.kseq.agreement import kseq_agreement
from specproof.theory.verifiers.recursive import recursive_agreement
from specproof.theory.verifiers.single import single_agreement

TOLERANCE = 1e-12
FUNCTIONS = {"single": single_agreement, "kseq": kseq_agreement, "recursive": recursive_agreement}


def by_hand(rule: Rule, draft: np.ndarray, target: np.ndarray, num_drafts: int) -> np.ndarray:
    accept, _ = rule(draft, target, num_drafts)
    found = np.zeros((draft.size, num_drafts))
    for drafts in product(range(draft.size), repeat=num_drafts):
        chance = float(np.prod(draft[list(drafts)]))
        if chance > 0:
            for token, passed in zip(drafts, accept(drafts), strict=True):
                found[token, drafts.count(token) - 1] += chance * passed
    return found


@given(pair=rough_pairs(4), num_drafts=st.integers(1, 3))
@with_degenerate(num_drafts=2)
@settings(deadline=None)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_against_every_tuple(name: str, pair: Pair, num_drafts: int) -> None:
    draft, target = as_pair(*pair)
    known = by_hand(RULES[name], draft, target, num_drafts)
    assert FUNCTIONS[name](draft, target, num_drafts) == pytest.approx(known, abs=TOLERANCE)


@pytest.mark.parametrize("name", VERIFIERS)
@pytest.mark.parametrize("pair", DEGENERATE.values(), ids=DEGENERATE)
def test_summed_over_the_carriers_it_is_acceptance(name: str, pair: Pair) -> None:
    for count in (1, 3, 8):
        found = VERIFIERS[name].agreement(*pair, count)
        law = VERIFIERS[name].law(*pair, count)
        assert found.shape == (*law.accepted.shape, count)
        assert found.min() >= 0.0
        assert found.sum(axis=-1) == pytest.approx(law.accepted, abs=TOLERANCE)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_rows_are_done_one_by_one(name: str) -> None:
    rng = np.random.default_rng(72)
    draft, target = dirichlet(5, 0.5, rng, 6).reshape(2, 3, 5), dirichlet(5, 0.5, rng, 3)
    found = FUNCTIONS[name](draft, target, 4)
    for index in np.ndindex(2, 3):
        assert found[index] == pytest.approx(FUNCTIONS[name](draft[index], target[index[1]], 4), abs=0)


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0.5, 0.5], [0.5, 0.5], 0), "num_drafts is 0"),
        (([0.5, 0.5], [0.5, 0.5], [1, 2]), "one number"),
        (([0.5, 0.6], [0.5, 0.5], 2), r"draft sums to 1\.1"),
        (([0.5, 0.5], [0.5, np.nan], 2), r"target\[1\] = nan"),
        (([0.5, 0.5], [1.0, 0.0, 0.0], 2), "one vocabulary"),
    ],
)
def test_bad_input(function: Any, arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        function(*arguments)


@pytest.mark.parametrize("name", VERIFIERS)
def test_more_drafts_than_an_array_holds_are_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match="num_drafts is 1000000000000: that makes an array of 2000000000000 entries"):
        VERIFIERS[name].agreement([0.5, 0.5], [0.25, 0.75], 10**12)
