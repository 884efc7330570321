"""vLLM's rejection samplers with greedy requests in the batch, and with the acceptance made up for benchmarks."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import torch

from audit.adapters.vllm import WHEELS, first, second
from audit.trials import log_rows
from specproof.conformance.problems import Tokens
from specproof.theory.distribution import Array

__all__ = ["WHEELS", "first_mixed", "second_mixed", "second_mixed_block", "synthetic"]

RATE = 0.7
"""With it a draft is accepted, whatever it is, if those before it are."""


def first_mixed(
    draft_probs: Array | None, target_probs: Array, draft_tokens: Tokens, rng: np.random.Generator
) -> Tokens:
    """Contract chain, ragged too, and drafts without a law; after each row stands the same one, greedy."""
    return _beside_greedy(partial(first, constrained=True), draft_probs, target_probs, draft_tokens, rng)


def second_mixed(
    draft_probs: Array | None, target_probs: Array, draft_tokens: Tokens, rng: np.random.Generator
) -> Tokens:
    """Contract chain, and drafts without a law; after each row stands the same one, greedy."""
    return _beside_greedy(second, draft_probs, target_probs, draft_tokens, rng)


def second_mixed_block(
    draft_probs: Array | None, target_probs: Array, draft_tokens: Tokens, rng: np.random.Generator
) -> Tokens:
    """Contract chain, with ``use_block_verification``; after each row stands the same one, greedy."""
    return _beside_greedy(partial(second, block=True), draft_probs, target_probs, draft_tokens, rng)


def synthetic(draft_probs: Array | None, target_probs: Array, draft_tokens: Tokens, rng: np.random.Generator) -> Tokens:
    """Contract chain, ragged too, and drafts without a law: ``rejection_sample_method="synthetic"``."""
    rates = torch.full((draft_tokens.shape[1],), RATE)
    return first(draft_probs, target_probs, draft_tokens, rng, synthetic_mode=True, synthetic_conditional_rates=rates)


def _beside_greedy(
    verify: Callable[..., Tokens],
    draft_probs: Array | None,
    target_probs: Array,
    draft_tokens: Tokens,
    rng: np.random.Generator,
) -> Tokens:
    """Verify each row at the temperatures 1 and 0 in one batch, and return what was sampled.

    Raises
    ------
    AssertionError
        If a row at the temperature 0 emitted other tokens than greedy decoding.
    """
    draft_twice = None if draft_probs is None else np.repeat(draft_probs, 2, axis=0)
    target_twice, tokens_twice = np.repeat(target_probs, 2, axis=0), np.repeat(draft_tokens, 2, axis=0)
    temperature = torch.tensor([1.0, 0.0]).repeat(len(draft_tokens))
    emitted = verify(draft_twice, target_twice, tokens_twice, rng, temperature=temperature)
    expected = greedy_rows(target_probs, draft_tokens)
    if (wrong := np.flatnonzero((emitted[1::2] != expected).any(axis=1))).size:
        row = wrong[0]
        raise AssertionError(
            f"the greedy row {row} emitted {emitted[1::2][row].tolist()}, greedy decoding {expected[row].tolist()}"
        )
    return emitted[::2]


def greedy_rows(target_probs: Array, draft_tokens: Tokens) -> Tokens:
    """The likeliest tokens, of the equally likely the first, up to the first that is not drafted."""
    likeliest: Tokens = log_rows(target_probs).float().argmax(dim=2).numpy()
    agreed = (draft_tokens == likeliest[:, :-1]).cumprod(axis=1).sum(axis=1)
    return np.where(np.arange(likeliest.shape[1]) <= agreed[:, None], likeliest, -1)
