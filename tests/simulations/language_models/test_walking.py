"""Texts drawn from the target alone: their law, and the laws of both models along them."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from decoded_laws import (
    PROMPTS,
    ROWS,
    T,
    assert_target_laws,
    ends_properly,
    next_laws,
)

from specproof.simulations.language_models.walking import COLUMNS, follow_texts, sample_target, walk_target


def test_walking_samples_the_target_and_gives_both_exact_laws(pair: Any) -> None:
    steps = list(walk_target(pair, PROMPTS * ROWS, T, np.random.default_rng(5)))
    assert [step.position for step in steps] == list(range(T))
    tokens = np.stack([step.tokens for step in steps], axis=1)
    assert_target_laws(pair, tokens)
    for step in steps:
        assert step.active.all()
        assert step.draft.dtype == step.target.dtype == torch.float64
        for row in range(30):
            text = PROMPTS[row % len(PROMPTS)] + tokens[row, : step.position].tolist()
            np.testing.assert_allclose(step.draft[row], next_laws(pair.draft, [text])[0], atol=1e-5)
            np.testing.assert_allclose(step.target[row], next_laws(pair.target, [text])[0], atol=1e-5)


def test_sampling_alone_gives_the_tokens_of_walking(pair: Any) -> None:
    tokens = sample_target(pair, PROMPTS * 50, 5, np.random.default_rng(5))
    steps = walk_target(pair, PROMPTS * 50, 5, np.random.default_rng(5))
    np.testing.assert_array_equal(tokens, np.stack([step.tokens for step in steps], axis=1))


def test_walking_stops_when_every_sequence_has_ended(make_pair: Any) -> None:
    steps = list(walk_target(make_pair(eos=2), PROMPTS, 40, np.random.default_rng(2)))
    tokens = np.stack([step.tokens for step in steps], axis=1)
    assert len(steps) < 40
    assert ends_properly(tokens, 2)
    np.testing.assert_array_equal(np.stack([step.active for step in steps], axis=1), tokens >= 0)
    sampled = sample_target(make_pair(eos=2), PROMPTS, 40, np.random.default_rng(2))
    np.testing.assert_array_equal(sampled[:, : len(steps)], tokens)
    assert (sampled[:, len(steps) :] == -1).all()


def test_long_texts_are_read_in_parts_by_the_draft_and_followed_with_the_same_laws(make_pair: Any) -> None:
    pair = make_pair(eos=2)
    steps = list(walk_target(pair, PROMPTS * 4, 3 * COLUMNS, np.random.default_rng(3)))
    tokens = np.stack([step.tokens for step in steps], axis=1)
    assert len(steps) > COLUMNS
    assert (tokens[:, COLUMNS - 1] >= 0).any()
    assert (tokens < 0).any()
    followed = list(follow_texts(pair, PROMPTS * 4, tokens))
    assert [step.position for step in followed] == [step.position for step in steps]
    for step, again in zip(steps, followed, strict=True):
        np.testing.assert_array_equal(step.active, again.active)
        np.testing.assert_array_equal(step.tokens, again.tokens)
        for row in np.flatnonzero(step.active):
            text = (PROMPTS * 4)[row] + tokens[row, : step.position].tolist()
            for name, model in (("draft", pair.draft), ("target", pair.target)):
                expected = next_laws(model, [text])[0]
                np.testing.assert_allclose(getattr(step, name)[row], expected, atol=1e-5)
                np.testing.assert_allclose(getattr(again, name)[row], expected, atol=1e-5)


def test_following_stops_where_all_texts_have_ended(pair: Any) -> None:
    texts = np.array([[1, 2, -1, -1], [3, -1, -1, -1]])
    assert [step.active.tolist() for step in follow_texts(pair, PROMPTS[:2], texts)] == [[True, True], [True, False]]
