"""Defects of batches and of what is returned: rows that get mixed up, and rows of a wrong form."""

from __future__ import annotations

from functools import partial

import numpy as np

from simulations.conformance.defects.defect import Defect
from simulations.conformance.defects.kernels import Rule, emitted_law, every_draft, scatter
from simulations.conformance.problems import ChainProblem, Problem, Tokens
from theory.distribution import Array

RIGHT = Rule()


def neighbours_target(
    draft_probs: Array, target_probs: Array, draft_tokens: Tokens, rng: np.random.Generator
) -> Tokens:
    """Verify each trial against the target rows of the next trial of the batch."""
    return RIGHT.sampler(draft_probs, np.roll(target_probs, -1, axis=0), draft_tokens, rng)


def neighbours_target_law(problem: Problem) -> Array:
    """Average over the drafts of an independent neighbour; of a batch of two trials or more."""
    assert isinstance(problem, ChainProblem)
    weights, inputs = every_draft(problem)
    law = np.zeros((problem.num_tokens + 1,) * (problem.length + 1))
    for weight, rows in zip(weights, inputs.target_probs, strict=True):
        target = np.broadcast_to(rows, inputs.target_probs.shape)
        ends = RIGHT.kernel(inputs.draft_probs, target, inputs.draft_tokens)
        law += weight * scatter(problem, weights, inputs.draft_tokens, ends)
    return law


def neighbours_draft(draft_probs: Array, target_probs: Array, draft_tokens: Tokens, rng: np.random.Generator) -> Tokens:
    """Verify each trial with the draft rows of the next trial of the batch."""
    return RIGHT.sampler(np.roll(draft_probs, -1, axis=0), target_probs, draft_tokens, rng)


def neighbours_draft_law(problem: Problem) -> Array:
    """Average over the drafts of an independent neighbour; of a batch of two trials or more."""
    assert isinstance(problem, ChainProblem)
    weights, inputs = every_draft(problem)
    law = np.zeros((problem.num_tokens + 1,) * (problem.length + 1))
    for weight, rows in zip(weights, inputs.draft_probs, strict=True):
        draft = np.broadcast_to(rows, inputs.draft_probs.shape)
        ends = RIGHT.kernel(draft, inputs.target_probs, inputs.draft_tokens)
        law += weight * scatter(problem, weights, inputs.draft_tokens, ends)
    return law


def emits_after_rejection(
    draft_probs: Array, target_probs: Array, draft_tokens: Tokens, rng: np.random.Generator
) -> Tokens:
    """Leave the drafts after a rejected one in the row."""
    emitted = RIGHT.sampler(draft_probs, target_probs, draft_tokens, rng)
    drafted = np.concatenate([draft_tokens, np.full((len(draft_tokens), 1), -1)], axis=1)
    return np.where(emitted < 0, drafted, emitted)


def padding_as_token(draft_probs: Array, target_probs: Array, draft_tokens: Tokens, rng: np.random.Generator) -> Tokens:
    """Pad with the size of the vocabulary, an id that does not exist."""
    emitted = RIGHT.sampler(draft_probs, target_probs, draft_tokens, rng)
    return np.where(emitted < 0, target_probs.shape[-1], emitted)


def unguarded_residual(
    draft_probs: Array, target_probs: Array, draft_tokens: Tokens, rng: np.random.Generator
) -> Tokens:
    """Divide the residual by its sum even where that is 0, and refuse the result, as samplers of libraries do."""
    excess = np.maximum(target_probs[:, :-1] - draft_probs, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        laws = excess / excess.sum(axis=-1, keepdims=True)
    if np.isnan(laws).any():
        raise ValueError("probabilities contain NaN")
    return RIGHT.sampler(draft_probs, target_probs, draft_tokens, rng)


_RIGHT_LAW = partial(emitted_law, kernel=RIGHT.kernel)

BATCH_DEFECTS: tuple[Defect, ...] = (
    Defect(
        "neighbours-target",
        "target rows of the next trial of the batch",
        "chain",
        neighbours_target,
        neighbours_target_law,
        "a batch of two or more, target rows that differ by context",
        "two drafts, three tokens",
        ("HabanaAI/vllm-fork#1780", "1CatAI/1Cat-vLLM#656"),
    ),
    Defect(
        "neighbours-draft",
        "draft rows of the next trial of the batch",
        "chain",
        neighbours_draft,
        neighbours_draft_law,
        "a batch of two or more, draft rows that differ by context",
        "two drafts, three tokens",
        ("vllm-project/vllm#35398",),
    ),
    Defect(
        "emits-after-rejection",
        "drafts after the rejected one stay in the output",
        "chain",
        emits_after_rejection,
        _RIGHT_LAW,
        "two drafts or more",
        "",
        ("lucidrains/speculative-decoding#3", "flashinfer-ai/flashinfer#879"),
    ),
    Defect(
        "padding-as-token",
        "positions after the last token are filled with an id outside the vocabulary",
        "chain",
        padding_as_token,
        _RIGHT_LAW,
        "a rejection",
        "",
        ("vllm-project/vllm#21876",),
    ),
    Defect(
        "unguarded-residual",
        "the residual is divided by its sum where that is 0",
        "chain",
        unguarded_residual,
        _RIGHT_LAW,
        "p = q",
        "",
        ("jaymody/speculative-sampling#5", "youssofal/MTPLX#82"),
    ),
)
