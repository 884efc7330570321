"""Texts along which both models' distributions are wanted, token by token: sampled from the target, or given."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from specproof.simulations.language_models.decoding_run import to_host
from specproof.simulations.language_models.model import start
from specproof.simulations.language_models.model_pair import ModelPair
from specproof.simulations.language_models.next_token_model import NextTokenModel, ReadTexts
from specproof.simulations.language_models.texts import Prompts, check_request, ends_text
from specproof.simulations.language_models.uniforms import from_numpy
from specproof.simulations.samplers.inversion import invert


class Step(NamedTuple):
    """One position of a batch, with both models' distributions given the same text before it."""

    position: int
    """The position in the continuation: 0 is the first after the prompt."""
    active: NDArray[np.bool_]
    """Which texts have not ended before this position, shape (B,). Rows of the others mean nothing."""
    draft: Tensor
    """The draft's float64 distributions on the pair's device, shape (B, V)."""
    target: Tensor
    """The target's distributions there, shape (B, V)."""
    draft_logits: Tensor
    """The logits that the draft's distributions are made of, shape (B, V)."""
    tokens: NDArray[np.int64]
    """The tokens of the texts there, shape (B,); -1 where not active."""


def sample_target(pair: ModelPair, prompts: Prompts, horizon: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Continue each prompt by tokens drawn from the target, one at a time; shape (B, horizon), -1 after the end.

    The same generator state gives the tokens of :func:`walk_target`.

    Raises
    ------
    InvalidInput
        If there are no prompts, one is empty, the horizon is below 1, or the model's context is too short.
    """
    check_request(prompts, horizon, (pair.target,))
    steps = _walk([pair.target], prompts, horizon, rng)
    tokens = np.full((len(prompts), horizon), -1, dtype=np.int64)
    for position, (_, _, _, drawn) in enumerate(steps):
        tokens[:, position] = drawn
    return tokens


def walk_target(pair: ModelPair, prompts: Prompts, horizon: int, rng: np.random.Generator) -> Iterator[Step]:
    """Sample from the target and give both models' distributions along the way, position by position.

    Only one position's distributions exist at a time, so that a large vocabulary needs no memory for all of them.

    Yields
    ------
    Step
        At most ``horizon`` of them; fewer if all texts end.

    Raises
    ------
    InvalidInput
        If there are no prompts, one is empty, the horizon is below 1, or a model's context is too short.
    """
    check_request(prompts, horizon, (pair.draft, pair.target))
    steps = _walk([pair.draft, pair.target], prompts, horizon, rng)
    return (
        Step(position, active, pair.draft.law(logits[0]), target, logits[0], drawn)
        for position, (active, logits, target, drawn) in enumerate(steps)
    )


def follow_texts(pair: ModelPair, prompts: Prompts, texts: NDArray[np.int64]) -> Iterator[Step]:
    """Give both models' distributions along texts that are there already.

    Parameters
    ----------
    pair : ModelPair
    prompts : list of lists of int
    texts : int array, shape (B, horizon)
        What follows each prompt, -1 after its end.

    Yields
    ------
    Step
        One for each position that some text has.

    Raises
    ------
    InvalidInput
        If there are no prompts, one is empty, the texts have no positions, or a model's context is too short.
    """
    check_request(prompts, texts.shape[1], (pair.draft, pair.target))
    given = torch.from_numpy(texts).to(pair.target.device)
    caches, tokens = _start([pair.draft, pair.target], prompts)
    for position in range(texts.shape[1]):
        active = given[:, position] >= 0
        if not active.any():
            return
        draft, target = _logits(caches, tokens, active)
        tokens = torch.where(active, given[:, position], 0)
        laws = pair.draft.law(draft), pair.target.law(target)
        yield Step(position, to_host(active), *laws, draft, to_host(given[:, position]))


def _start(models: Sequence[NextTokenModel], prompts: Prompts) -> tuple[list[ReadTexts], Tensor]:
    """Feed each model all but the last tokens of the prompts, and return these."""
    caches = []
    for model in models:
        cache, tokens = start(model, prompts)
        caches.append(cache)
    return caches, tokens


def _logits(caches: Sequence[ReadTexts], tokens: Tensor, active: Tensor) -> list[Tensor]:
    """Feed every model one token of each text, and return the logits of the next."""
    return [cache.append(tokens[:, None], active[:, None])[:, 0] for cache in caches]


def _walk(
    models: Sequence[NextTokenModel], prompts: Prompts, horizon: int, rng: np.random.Generator
) -> Iterator[tuple[NDArray[np.bool_], list[Tensor], Tensor, NDArray[np.int64]]]:
    """Advance all models in lockstep over tokens drawn from the last one's distributions, given after the logits."""
    target = models[-1]
    uniforms = from_numpy(rng, target.device)
    caches, tokens = _start(models, prompts)
    active = torch.ones(len(prompts), dtype=torch.bool, device=target.device)
    for _ in range(horizon):
        logits = _logits(caches, tokens, active)
        law = target.law(logits[-1])
        tokens = invert(law, uniforms((len(prompts),)))
        yield to_host(active), logits, law, to_host(torch.where(active, tokens, -1))
        active = active & ~ends_text(tokens, target)
        if not active.any():
            return
