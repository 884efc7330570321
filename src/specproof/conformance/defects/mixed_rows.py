"""Defects of batches and of what is returned: rows that get mixed up, and rows of a wrong form."""

from __future__ import annotations

from functools import partial

import numpy as np

from specproof.conformance.defects.defect import Defect
from specproof.conformance.defects.rules import RIGHT, emitted_law, every_draft, point_mass, scatter
from specproof.conformance.problems import ChainProblem, Contract, Tokens
from specproof.theory.distribution import Array


def neighbours_target(
    draft_probs: Array, target_probs: Array, draft_tokens: Tokens, rng: np.random.Generator
) -> Tokens:
    """Verify each trial against the target rows of the next trial of the batch."""
    return RIGHT.sampler(draft_probs, np.roll(target_probs, -1, axis=0), draft_tokens, rng)


def neighbours_draft(draft_probs: Array, target_probs: Array, draft_tokens: Tokens, rng: np.random.Generator) -> Tokens:
    """Verify each trial with the draft rows of the next trial of the batch."""
    return RIGHT.sampler(np.roll(draft_probs, -1, axis=0), target_probs, draft_tokens, rng)


def neighbours_law(problem: ChainProblem, name: str) -> Array:
    """Average over an independent neighbour, whose inputs of this name are used; of a batch of two trials or more."""
    weights, inputs = every_draft(problem)
    own = getattr(inputs, name)
    law = np.zeros(problem.emitted_shape)
    for weight, rows in zip(weights, own, strict=True):
        ends = RIGHT.kernel(*inputs._replace(**{name: np.broadcast_to(rows, own.shape)}))
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


def greedy_for_all(draft_probs: Array, target_probs: Array, draft_tokens: Tokens, rng: np.random.Generator) -> Tokens:
    """Take the argmax in every row of the batch if one row asks for that, as its laws of one token show."""
    if (target_probs.max(axis=-1) == 1.0).any():
        target_probs = point_mass(target_probs)
    return RIGHT.sampler(draft_probs, target_probs, draft_tokens, rng)


ROW_DEFECTS: tuple[Defect, ...] = (
    Defect(
        "greedy-for-all",
        "one greedy row makes every row of its batch greedy",
        Contract.CHAIN,
        greedy_for_all,
        partial(emitted_law, kernel=RIGHT.kernel),
        "greedy and sampled rows in one batch",
        "",
        ("vllm-project/vllm-ascend#16430", "vllm-project/vllm#27077"),
    ),
    Defect(
        "neighbours-target",
        "target rows of the next trial of the batch",
        Contract.CHAIN,
        neighbours_target,
        partial(neighbours_law, name="target_probs"),
        "a batch of two or more, target rows that differ by context",
        "two drafts, three tokens",
        ("HabanaAI/vllm-fork#1780", "1CatAI/1Cat-vLLM#656"),
    ),
    Defect(
        "neighbours-draft",
        "draft rows of the next trial of the batch",
        Contract.CHAIN,
        neighbours_draft,
        partial(neighbours_law, name="draft_probs"),
        "a batch of two or more, draft rows that differ by context",
        "two drafts, three tokens",
        ("vllm-project/vllm#35398",),
    ),
    Defect(
        "emits-after-rejection",
        "drafts after the rejected one stay in the output",
        Contract.CHAIN,
        emits_after_rejection,
        None,
        "two drafts or more",
        "",
        ("lucidrains/speculative-decoding#3", "flashinfer-ai/flashinfer#879"),
    ),
    Defect(
        "padding-as-token",
        "positions after the last token are filled with an id outside the vocabulary",
        Contract.CHAIN,
        padding_as_token,
        None,
        "a rejection",
        "",
        ("vllm-project/vllm#21876",),
    ),
    Defect(
        "unguarded-residual",
        "the residual is divided by its sum where that is 0",
        Contract.CHAIN,
        unguarded_residual,
        None,
        "p = q",
        "",
        ("jaymody/speculative-sampling#5", "youssofal/MTPLX#82"),
    ),
)
