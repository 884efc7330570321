"""Agreement at given tokens is the agreement law at these tokens, for every number of drafts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from specproof import agreement_at
from specproof.conformance.strategies import Pair, rough_pairs, with_degenerate
from specproof.simulations.claims.priority.hard_pairs import llm_shaped_pair
from specproof.theory.distribution import Array, as_pair, dirichlet
from specproof.theory.errors import InvalidInput
from specproof.theory.verifiers import VERIFIERS, Verifier

TOLERANCE = 1e-12
EXACT = ("single", "kseq", "recursive")
LARGE = 50_000


def whole_law(rule: Verifier, draft: Array, target: Array, tokens: Array, num_drafts: int) -> Array:
    found = np.zeros((*tokens.shape, num_drafts, num_drafts))
    for index in np.ndindex(tokens.shape):
        for count in range(1, num_drafts + 1):
            law = rule.agreement(draft[index], target[index], count)
            found[(*index, count - 1, slice(count))] = law[tokens[index]]
    return found


@given(pair=rough_pairs(), num_drafts=st.integers(1, 6))
@with_degenerate(num_drafts=5)
@pytest.mark.parametrize("name", EXACT)
def test_every_token_of_any_pair(name: str, pair: Pair, num_drafts: int) -> None:
    draft, target = (np.repeat(law[np.newaxis], law.size, axis=0) for law in as_pair(*pair))
    tokens = np.arange(draft.shape[-1])
    found = agreement_at(VERIFIERS[name], draft, target, tokens, num_drafts)
    np.testing.assert_allclose(
        found, whole_law(VERIFIERS[name], draft, target, tokens, num_drafts), rtol=0, atol=TOLERANCE
    )


@pytest.mark.parametrize("name", EXACT)
def test_some_tokens_of_a_large_vocabulary(name: str) -> None:
    rng = np.random.default_rng(31)
    draft, target = llm_shaped_pair(rng, LARGE)
    likely = np.argsort(-target)[[0, 1, 5, 50, 500, LARGE - 1]]
    rows = np.broadcast_to(draft, (likely.size, LARGE)), np.broadcast_to(target, (likely.size, LARGE))
    found = agreement_at(VERIFIERS[name], *rows, likely, 4)
    np.testing.assert_allclose(found, whole_law(VERIFIERS[name], *rows, likely, 4), rtol=0, atol=TOLERANCE)
    assert found[0].sum() > 0.01


@pytest.mark.parametrize("name", EXACT)
def test_without_a_form_of_its_own_the_whole_law_is_made(name: str) -> None:
    rng = np.random.default_rng(32)
    draft, target = dirichlet(5, 0.5, rng, (2, 3)), dirichlet(5, 0.5, rng, 3)
    tokens = rng.integers(5, size=(2, 3))
    bare = replace(VERIFIERS[name], agreement_at=None)
    found = agreement_at(VERIFIERS[name], draft, target, tokens, 4)
    assert found.shape == (2, 3, 4, 4)
    np.testing.assert_allclose(found, agreement_at(bare, draft, target, tokens, 4), rtol=0, atol=TOLERANCE)
    assert np.abs(found - agreement_at(bare, draft, target, (tokens + 1) % 5, 4)).max() > 1e-3


@pytest.mark.parametrize("name", EXACT)
def test_one_pair_takes_one_token_and_no_rows_take_none(name: str) -> None:
    assert agreement_at(VERIFIERS[name], [0.5, 0.5], [0.25, 0.75], 1, 3).shape == (3, 3)
    none = np.empty((0, 4))
    assert agreement_at(VERIFIERS[name], none, none, np.empty(0, dtype=int), 3).shape == (0, 3, 3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("kseq", [0.5, 0.5], [0.5, 0.5], 0, 2), "verifier is 'kseq': give a Verifier"),
        ((VERIFIERS["kseq"], [0.5, 0.5], [0.5, 0.5], 2, 2), r"tokens = 2 is outside the vocabulary: tokens are 0\.\.1"),
        ((VERIFIERS["kseq"], [[0.5, 0.5]], [0.5, 0.5], [-1], 2), r"tokens\[0\] = -1 is outside"),
        ((VERIFIERS["kseq"], [0.5, 0.5], [0.5, 0.5], 0.0, 2), "dtype float64"),
        ((VERIFIERS["kseq"], [0.5, 0.5], [0.5, 0.5], [0, 1], 2), r"leading shape \(\)"),
        ((VERIFIERS["kseq"], [0.5, 0.5], [0.5, 0.5], 0, 0), "num_drafts is 0"),
        ((VERIFIERS["kseq"], [0.5, 0.6], [0.5, 0.5], 0, 1), r"draft sums to 1\.1"),
    ],
)
def test_bad_input(arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        agreement_at(*arguments)
