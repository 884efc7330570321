"""Texts along which both models' distributions are wanted, token by token: sampled from the target, or given."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from specproof.simulations.language_models.decoding_run import to_host
from specproof.simulations.language_models.model import start
from specproof.simulations.language_models.model_pair import ModelPair
from specproof.simulations.language_models.next_token_model import NextTokenModel
from specproof.simulations.language_models.texts import Prompts, check_request, ends_text
from specproof.simulations.language_models.uniforms import from_numpy
from specproof.simulations.samplers.inversion import invert

COLUMNS = 8
"""Where texts are there already a model reads so many positions of them at a time, and its weights once for all."""


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
    tokens = np.full((len(prompts), horizon), -1, dtype=np.int64)
    for position, step in enumerate(_sample(pair.target, prompts, horizon, rng)):
        tokens[:, position] = to_host(step.drawn)
    return tokens


def walk_target(pair: ModelPair, prompts: Prompts, horizon: int, rng: np.random.Generator) -> Iterator[Step]:
    """Sample from the target and give both models' distributions along the way, position by position.

    The draft reads what was sampled a few positions at a time, and only the distributions of so many exist at once: a
    large vocabulary needs no memory for all of them.

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
    return _walk(pair, prompts, horizon, rng)


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
    caches, pending = zip(*(start(model, prompts) for model in (pair.draft, pair.target)), strict=True)
    fed = torch.cat([pending[0][:, None], given[:, :-1].clamp(min=0)], dim=1)
    for first in range(0, texts.shape[1], COLUMNS):
        part = slice(first, first + COLUMNS)
        active = given[:, part] >= 0
        draft, target = (cache.append(fed[:, part], active) for cache in caches)
        for column, going in enumerate(active.T):
            if not going.any():
                return
            laws = pair.draft.law(draft[:, column]), pair.target.law(target[:, column])
            drawn = to_host(given[:, first + column])
            yield Step(first + column, to_host(going), *laws, draft[:, column], drawn)


def _walk(pair: ModelPair, prompts: Prompts, horizon: int, rng: np.random.Generator) -> Iterator[Step]:
    cache, _ = start(pair.draft, prompts)
    steps, position = _sample(pair.target, prompts, horizon, rng), 0
    while part := list(islice(steps, COLUMNS)):
        fed, active = (torch.stack([getattr(step, name) for step in part], dim=1) for name in ("fed", "active"))
        logits = cache.append(fed, active).unbind(dim=1)
        for step, each in zip(part, logits, strict=True):
            drawn = to_host(step.drawn)
            yield Step(position, to_host(step.active), pair.draft.law(each), step.target, each, drawn)
            position += 1


class _Sampled(NamedTuple):
    """One position of a batch of texts that are sampled from a model."""

    fed: Tensor
    """The tokens before it, shape (B,)."""
    active: Tensor
    """Which texts have not ended before it, shape (B,)."""
    target: Tensor
    """The model's distributions there, shape (B, V)."""
    drawn: Tensor
    """The tokens drawn from them, shape (B,); -1 where not active."""


def _sample(model: NextTokenModel, prompts: Prompts, horizon: int, rng: np.random.Generator) -> Iterator[_Sampled]:
    """Continue texts by tokens drawn from a model, until the horizon or until all have ended."""
    uniforms = from_numpy(rng, model.device)
    cache, tokens = start(model, prompts)
    active = torch.ones(len(prompts), dtype=torch.bool, device=model.device)
    for _ in range(horizon):
        fed, law = tokens, model.law(cache.append(tokens[:, None], active[:, None])[:, 0])
        tokens = invert(law, uniforms((len(prompts),)))
        yield _Sampled(fed, active, law, torch.where(active, tokens, -1))
        active = active & ~ends_text(tokens, model)
        if not active.any():
            return
