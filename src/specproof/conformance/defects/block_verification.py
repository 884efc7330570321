"""Block verification, right and wrong: the accepted length is decided for the round as a whole."""

from __future__ import annotations

from functools import partial

import numpy as np

from specproof.conformance.defects.defect import Defect
from specproof.conformance.defects.rules import (
    ChainSampler,
    Ends,
    RoundKernel,
    emit,
    emitted_law,
    normalised,
    pick,
    token_laws,
)
from specproof.conformance.problems import Contract, Tokens
from specproof.simulations.samplers.inversion import invert
from specproof.theory.distribution import Array


def block_kernel(draft_probs: Array, target_probs: Array, draft_tokens: Tokens) -> Ends:
    r"""Block verification (Sun et al. 2024, arXiv 2403.10444).

    With :math:`w_0 = 1` and :math:`w_i = \min(1, w_{i-1} q(x_i)/p(x_i))`, the accepted length is the largest i that
    passes a test of probability :math:`h_i = s_i/(s_i + 1 - w_i)`, where :math:`s_i = \sum_y [w_i q_{i+1}(y) -
    p_{i+1}(y)]_+`, and :math:`h_L = w_L`; what follows is drawn from :math:`[w_i q_{i+1} - p_{i+1}]_+`, or from the
    bonus row.
    """
    weights = _weights(draft_probs, target_probs, draft_tokens)
    return Ends(_stop(_block_tests(draft_probs, target_probs, weights)), _scaled(draft_probs, target_probs, weights))


def token_residual_kernel(draft_probs: Array, target_probs: Array, draft_tokens: Tokens) -> Ends:
    """Accept as block verification does, and replace as if token by token."""
    weights = _weights(draft_probs, target_probs, draft_tokens)
    stop = _stop(_block_tests(draft_probs, target_probs, weights))
    return Ends(stop, token_laws(draft_probs, target_probs, draft_tokens))


def cumulative_kernel(draft_probs: Array, target_probs: Array, draft_tokens: Tokens) -> Ends:
    """Take the longest prefix whose product of ratios passes its test, and replace as if token by token."""
    ratios = _ratios(draft_probs, target_probs, draft_tokens)
    tests = np.minimum(np.cumprod(ratios, axis=1), 1.0)
    return Ends(_stop(tests), token_laws(draft_probs, target_probs, draft_tokens))


def round_sampler(kernel: RoundKernel) -> ChainSampler:
    """Draw where to stop, then the token."""

    def verify(draft_probs: Array, target_probs: Array, draft_tokens: Tokens, rng: np.random.Generator) -> Tokens:
        ends = kernel(draft_probs, target_probs, draft_tokens)
        count = len(draft_tokens)
        kept = invert(ends.stop, rng.random(count))
        return emit(draft_tokens, kept, invert(ends.token[np.arange(count), kept], rng.random(count)))

    return verify


def _ratios(draft_probs: Array, target_probs: Array, draft_tokens: Tokens) -> Array:
    """Give q/p at the drafts, shape (n, L); 1 where p = 0, as of drafts that are never drawn."""
    p, q = pick(draft_probs, draft_tokens), pick(target_probs[:, :-1], draft_tokens)
    with np.errstate(over="ignore"):
        return np.minimum(np.divide(q, p, out=np.ones_like(q), where=p > 0), np.finfo(np.float64).max)


def _weights(draft_probs: Array, target_probs: Array, draft_tokens: Tokens) -> Array:
    """Give w_0..w_L, shape (n, L+1)."""
    ratios = _ratios(draft_probs, target_probs, draft_tokens)
    weights = np.ones((len(ratios), ratios.shape[1] + 1))
    for index in range(ratios.shape[1]):
        weights[:, index + 1] = np.minimum(1.0, weights[:, index] * ratios[:, index])
    return weights


def _block_tests(draft_probs: Array, target_probs: Array, weights: Array) -> Array:
    """Give h_1..h_L, shape (n, L)."""
    inner = weights[:, 1:-1]
    excess = np.maximum(inner[..., np.newaxis] * target_probs[:, 1:-1] - draft_probs[:, 1:], 0.0).sum(axis=-1)
    below = excess + 1.0 - inner
    tests = np.divide(excess, below, out=np.ones_like(excess), where=below > 0)
    return np.concatenate([tests, weights[:, -1:]], axis=1)


def _stop(tests: Array) -> Array:
    """Give the law of the last passing index, 0 for none, of independent tests."""
    one = np.ones((len(tests), 1))
    later_fail = np.cumprod(np.concatenate([one, 1.0 - tests[:, ::-1]], axis=1), axis=1)[:, ::-1]
    law: Array = later_fail * np.concatenate([one, tests], axis=1)
    return law


def _scaled(draft_probs: Array, target_probs: Array, weights: Array) -> Array:
    target = target_probs[:, :-1]
    excess = np.maximum(weights[:, :-1, np.newaxis] * target - draft_probs, 0.0)
    return np.concatenate([normalised(excess, target), target_probs[:, -1:]], axis=1)


_THREADS = ("vllm-project/vllm-ascend#7807", "vllm-project/vllm-ascend#7603")

BLOCK_DEFECTS: tuple[Defect, ...] = (
    Defect(
        "block-by-cumulative-ratio",
        "the longest prefix whose product of ratios passes its test, with a token-by-token residual",
        Contract.CHAIN,
        round_sampler(cumulative_kernel),
        partial(emitted_law, kernel=cumulative_kernel),
        "two drafts or more",
        "two drafts, no memory",
        _THREADS,
    ),
    Defect(
        "block-with-token-residual",
        "block verification with a residual that is not scaled by the prefix",
        Contract.CHAIN,
        round_sampler(token_residual_kernel),
        partial(emitted_law, kernel=token_residual_kernel),
        "the joint law of two positions, three tokens",
        "two drafts, unlike laws",
        _THREADS[:1],
    ),
)
