"""Defects of the random numbers: one number used twice, and laws that come out right one trial at a time."""

from __future__ import annotations

from functools import partial
from itertools import count

import numpy as np

from specproof.conformance.defects.defect import Defect
from specproof.conformance.defects.rules import RIGHT, Ends, emit, emitted_law, quotient, token_laws
from specproof.conformance.problems import Contract, Tokens
from specproof.simulations.samplers.inversion import invert
from specproof.theory.distribution import Array


def uniform_inverts_residual(
    draft_probs: Array, target_probs: Array, draft_tokens: Tokens, rng: np.random.Generator
) -> Tokens:
    """Invert the residual at the number that rejected the draft."""
    uniforms = rng.random(draft_tokens.shape)
    kept = _kept(draft_probs, target_probs, draft_tokens, uniforms)
    laws = token_laws(draft_probs, target_probs, draft_tokens)[np.arange(len(kept)), kept]
    again = np.concatenate([uniforms, rng.random((len(kept), 1))], axis=1)[np.arange(len(kept)), kept]
    return emit(draft_tokens, kept, invert(laws, again))


def uniform_inverts_residual_kernel(draft_probs: Array, target_probs: Array, draft_tokens: Tokens) -> Ends:
    """Given a rejection the number is uniform on [a, 1), so that a part of the residual is never drawn."""
    ends = RIGHT.kernel(draft_probs, target_probs, draft_tokens)
    accept = quotient(draft_probs, target_probs[:, :-1], draft_tokens)[..., np.newaxis]
    edges = np.maximum(np.cumsum(ends.token[:, :-1], axis=-1), accept)
    edges[..., -1] = 1.0
    shares = np.diff(edges, axis=-1, prepend=accept)
    left = 1.0 - accept
    token = ends.token.copy()
    token[:, :-1] = np.divide(shares, left, out=token[:, :-1].copy(), where=left > 0)
    return Ends(ends.stop, token)


def one_uniform_a_round(
    draft_probs: Array, target_probs: Array, draft_tokens: Tokens, rng: np.random.Generator
) -> Tokens:
    """Test all positions of a round with one number."""
    uniforms = np.broadcast_to(rng.random((len(draft_tokens), 1)), draft_tokens.shape)
    return _finish(draft_probs, target_probs, draft_tokens, uniforms, rng)


def one_uniform_a_round_kernel(draft_probs: Array, target_probs: Array, draft_tokens: Tokens) -> Ends:
    """Keep i drafts if the number lies below the least of the first i ratios, and not below the next."""
    ends = RIGHT.kernel(draft_probs, target_probs, draft_tokens)
    accept = quotient(draft_probs, target_probs[:, :-1], draft_tokens)
    one, zero = np.ones((len(accept), 1)), np.zeros((len(accept), 1))
    reach = np.minimum.accumulate(np.concatenate([one, accept], axis=1), axis=1)
    return Ends(reach - np.concatenate([reach[:, 1:], zero], axis=1), ends.token)


def one_uniform_a_batch(
    draft_probs: Array, target_probs: Array, draft_tokens: Tokens, rng: np.random.Generator
) -> Tokens:
    """Give every trial of a call the same numbers: each has the right law, and they are not independent."""
    uniforms = np.broadcast_to(rng.random(draft_tokens.shape[1]), draft_tokens.shape)
    kept = _kept(draft_probs, target_probs, draft_tokens, uniforms)
    laws = token_laws(draft_probs, target_probs, draft_tokens)[np.arange(len(kept)), kept]
    return emit(draft_tokens, kept, invert(laws, np.full(len(kept), rng.random())))


_UNSEEDED = count()


def seed_ignored(draft_probs: Array, target_probs: Array, draft_tokens: Tokens, rng: np.random.Generator) -> Tokens:
    """Take the numbers from somewhere else than the generator that was given."""
    del rng
    return RIGHT.sampler(draft_probs, target_probs, draft_tokens, np.random.default_rng((7, next(_UNSEEDED))))


def _finish(
    draft_probs: Array, target_probs: Array, draft_tokens: Tokens, uniforms: Array, rng: np.random.Generator
) -> Tokens:
    kept = _kept(draft_probs, target_probs, draft_tokens, uniforms)
    laws = token_laws(draft_probs, target_probs, draft_tokens)[np.arange(len(kept)), kept]
    return emit(draft_tokens, kept, invert(laws, rng.random(len(kept))))


def _kept(draft_probs: Array, target_probs: Array, draft_tokens: Tokens, uniforms: Array) -> Tokens:
    accepted = uniforms < quotient(draft_probs, target_probs[:, :-1], draft_tokens)
    kept: Tokens = np.cumprod(accepted, axis=1).sum(axis=1)
    return kept


UNIFORMS_DEFECTS: tuple[Defect, ...] = (
    Defect(
        "uniform-inverts-residual",
        "the number that rejected the draft also draws its replacement",
        Contract.CHAIN,
        uniform_inverts_residual,
        partial(emitted_law, kernel=uniform_inverts_residual_kernel),
        "a residual of two tokens or more",
        "three tokens",
        ("vllm-project/vllm-ascend#16370",),
    ),
    Defect(
        "one-uniform-a-round",
        "all positions of a round are tested with one number",
        Contract.CHAIN,
        one_uniform_a_round,
        partial(emitted_law, kernel=one_uniform_a_round_kernel),
        "the joint law of two positions",
        "two drafts, no memory",
        ("PaddlePaddle/FastDeploy#5568", "flashinfer-ai/flashinfer#424"),
    ),
    Defect(
        "one-uniform-a-batch",
        "all trials of a batch use the same numbers",
        Contract.CHAIN,
        one_uniform_a_batch,
        partial(emitted_law, kernel=RIGHT.kernel),
        "a batch, and a look at the dependence of its trials",
        "three tokens",
        ("NVIDIA/TensorRT-LLM#19487",),
    ),
    Defect(
        "seed-ignored",
        "the generator that is given is not used",
        Contract.CHAIN,
        seed_ignored,
        partial(emitted_law, kernel=RIGHT.kernel),
        "two calls with one seed",
        "",
        ("vllm-project/vllm#6038", "Blaizzy/mlx-vlm#2029"),
    ),
)
