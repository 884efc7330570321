"""Reach weights against the formulas written out start by start, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from specproof import VERIFIERS, InvalidInput
from specproof.theory.distribution import dirichlet
from specproof.theory.texts import block_by_block, by_depth, draft_sequences, token_by_token

TOLERANCE = 1e-12
RNG = np.random.default_rng(121)
TOKENS, LENGTH = 9, 4
DRAFT, TARGET = (np.log(RNG.random(TOKENS)) for _ in range(2))
NEVER = np.where(np.arange(TOKENS) == 3, -np.inf, DRAFT)
Array = np.ndarray


def start_by_start(weight: Callable[[Array, Array], float], draft: Array, target: Array, length: int) -> Array:
    """The weight of the first l tokens from each start, as the formula has it."""
    reach = np.zeros((draft.size, length + 1))
    for start in range(draft.size):
        for level in range(min(length, draft.size - start) + 1):
            part = slice(start, start + level)
            reach[start, level] = weight(np.exp(draft[part]), np.exp(target[part]))
    return reach


def one_by_one(p: Array, q: Array) -> float:
    return float(np.prod(np.minimum(1.0, p / q)))


def least_ratio(p: Array, q: Array) -> float:
    return min([1.0, *np.cumprod(p / q)])


@pytest.mark.parametrize("length", [1, LENGTH, TOKENS, TOKENS + 3])
@pytest.mark.parametrize("draft", [DRAFT, NEVER])
@pytest.mark.parametrize(("function", "weight"), [(token_by_token, one_by_one), (block_by_block, least_ratio)])
def test_one_sequence_start_by_start(function: Any, weight: Any, draft: Array, length: int) -> None:
    found = function(draft, TARGET, length)
    assert found == pytest.approx(start_by_start(weight, draft, TARGET, length), abs=TOLERANCE)
    assert found.shape == (TOKENS, length + 1)


def test_blocks_never_reach_less_than_tokens() -> None:
    for draft in (DRAFT, NEVER):
        gain = block_by_block(draft, TARGET, TOKENS) - token_by_token(draft, TARGET, TOKENS)
        assert gain.min() >= -1e-15
        assert gain.max() > 0.1


def test_products_that_no_float_holds_are_kept_in_logarithms() -> None:
    draft, target = np.tile([-1e-3, -600.0], 3), np.tile([-600.0, -1e-3], 3)
    assert block_by_block(draft, target, 6)[0].tolist() == [1.0] * 7
    assert block_by_block(target, draft, 2)[0, 2] == pytest.approx(0.0, abs=1e-200)


@pytest.mark.parametrize("verifier", VERIFIERS)
@pytest.mark.parametrize("count", [1, 2, 3])
def test_sequences_summed_over_all_ways_to_lose_them(verifier: str, count: int) -> None:
    p, q = (dirichlet(4, 0.5, RNG, TOKENS) for _ in range(2))
    text = np.array([RNG.choice(4, p=row) for row in q])
    rows = np.arange(TOKENS)
    logprobs = np.log(q[rows, text])
    agreement = np.zeros((TOKENS, 3, 3))
    for k in range(1, 4):
        agreement[:, k - 1, :k] = VERIFIERS[verifier].agreement(p, q, k)[rows, text]
    found = draft_sequences(agreement, logprobs, count, LENGTH)

    def reached(start: int, level: int, left: int) -> float:
        """From ``left`` sequences on, the probability of so many more levels."""
        if level == 0:
            return 1.0
        ways = agreement[start, left - 1, :left] / np.exp(logprobs[start])
        return sum(float(way) * reached(start + 1, level - 1, j + 1) for j, way in enumerate(ways))

    for start in range(TOKENS):
        for level in range(LENGTH + 1):
            known = reached(start, level, count) if start + level <= TOKENS else 0.0
            assert found[start, level] == pytest.approx(known, abs=TOLERANCE)
    if count == 1:
        single = token_by_token(np.log(p[rows, text]), logprobs, LENGTH)
        assert found == pytest.approx(single, abs=1e-9), "with one draft every verifier is the maximal coupling"


def test_agreement_past_the_target_by_rounding_keeps_weights_in_range() -> None:
    found = draft_sequences(np.full((3, 1, 1), 0.5 + 1e-9), np.log(np.full(3, 0.5)), 1, 3)
    assert found[0].tolist() == [1.0] * 4


def test_a_token_whose_probability_no_float_holds_is_never_accepted() -> None:
    assert draft_sequences([[[0.0]]], [-800.0], 1, 1).tolist() == [[1.0, 0.0]]


@pytest.mark.parametrize("length", [1, 3, TOKENS + 2])
def test_products_by_depth(length: int) -> None:
    chances = RNG.random((length, TOKENS))
    found = by_depth(chances, length)
    for start in range(TOKENS):
        for level in range(length + 1):
            known = np.prod([chances[i, start + i] for i in range(level)]) if start + level <= TOKENS else 0.0
            assert found[start, level] == pytest.approx(known, abs=TOLERANCE)
    assert np.array_equal(by_depth(chances[0], length), by_depth(np.tile(chances[0], (length, 1)), length))


ONES = np.ones((2, 1, 1))
HALF = np.log([0.5, 0.5])


@pytest.mark.parametrize(
    ("function", "arguments", "message"),
    [
        (token_by_token, (HALF, [-0.5, -np.inf], 2), r"^target_logprobs\[1\] is -inf: the text was not sampled from"),
        (block_by_block, (HALF, [-np.inf, -0.5], 2), r"^target_logprobs\[0\] is -inf"),
        (draft_sequences, (ONES, [-0.5, -np.inf], 1, 2), r"^target_logprobs\[1\] is -inf"),
        (token_by_token, ([0.5, 0.5], HALF, 2), r"^draft_logprobs\[0\] is 0.5: give natural logarithms"),
        (token_by_token, ([np.nan, -1.0], HALF, 2), r"^draft_logprobs\[0\] is nan"),
        (token_by_token, (HALF, [-1.0], 2), "^draft_logprobs has 2 tokens and target_logprobs 1"),
        (block_by_block, ([], [], 2), r"^draft_logprobs has shape \(0,\)"),
        (block_by_block, ([HALF], HALF, 2), r"^draft_logprobs has shape \(1, 2\)"),
        (block_by_block, (HALF, HALF, 0), "^length is 0"),
        (draft_sequences, (ONES[:1], HALF, 1, 2), r"^agreement has shape \(1, 1, 1\): .* T = 2"),
        (draft_sequences, (ONES[:, 0], HALF, 1, 2), r"^agreement has shape \(2, 1\)"),
        (draft_sequences, (ONES, HALF, 2, 2), "^num_drafts is 2 and agreement is for up to 1"),
        (draft_sequences, (-ONES, HALF, 1, 2), r"^agreement\[0, 0, 0\] is -1.0"),
        (draft_sequences, (ONES, HALF, 1, 2), r"^agreement\[0, 0\] sums to 1 and the target gives this token 0.5"),
        (by_depth, ([0.5, 1.5], 2), r"^chances\[1\] is 1.5"),
        (by_depth, ([0.5, np.nan], 2), r"^chances\[1\] is nan"),
        (by_depth, ([[0.5, 0.5]], 2), r"^chances has shape \(1, 2\): it must be \(T,\) or \(2, T\)"),
        (by_depth, (0.5, 2), r"^chances has shape \(\)"),
    ],
)
def test_what_is_no_text_is_refused(function: Any, arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        function(*arguments)
