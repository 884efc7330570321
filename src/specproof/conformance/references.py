"""Correct samplers in the kit's contracts: what the kit must never call anything but lossless."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps

import numpy as np

from specproof.conformance.asked_loops import as_asked
from specproof.conformance.problems import Contract, Tokens, next_token_law
from specproof.conformance.problems.drafting import Drafting
from specproof.conformance.seeded_loops import by_row_seeds, stream_of_each_seed
from specproof.conformance.subject.sampler_under_test import Sampler
from specproof.conformance.tree_references import level_by_level, recursive_on_tree, walk_by_target
from specproof.simulations.samplers import (
    SAMPLERS,
    priority_layers,
    recursive_without_replacement,
    single,
    whole_blocks,
)
from specproof.simulations.samplers.inversion import invert
from specproof.theory.chain import TabularModel
from specproof.theory.distribution import Array
from specproof.theory.trees.layer_tree import LayerTree

DRAFTED = 2
"""A round of :func:`speculate` drafts so many tokens, one after the other."""

SEQUENCES = 2
"""A round of :func:`speculate_layers` drafts so many sequences of them."""

SURE = 0.55
"""The draft model of :func:`round_until_unsure` is sure if its likeliest token has this probability."""


def in_ragged_batches(rule: Callable[..., Tokens]) -> Callable[..., Tokens]:
    """Make a rule for rows of one length and drafts with a law one of the whole contract chain.

    Rows of each length are verified together; those without drafts are draws from the target, and a draft without a law
    is certain.
    """

    @wraps(rule)
    def verify(
        draft_probs: Array | None, target_probs: Array, draft_tokens: Tokens, rng: np.random.Generator
    ) -> Tokens:
        draft = np.eye(target_probs.shape[-1])[draft_tokens] if draft_probs is None else draft_probs
        lengths = (draft_tokens >= 0).sum(axis=1)
        if lengths.size and lengths.min() == draft_tokens.shape[1] > 0:
            return rule(draft, target_probs, draft_tokens, rng)
        emitted = np.full((len(lengths), draft_tokens.shape[1] + 1), -1, dtype=np.int64)
        for length in np.unique(lengths):
            rows = np.flatnonzero(lengths == length)
            if length == 0:
                emitted[rows, 0] = invert(target_probs[rows, 0], rng.random(rows.size))
            else:
                own = draft[rows, :length], target_probs[rows, : length + 1], draft_tokens[rows, :length]
                emitted[rows, : length + 1] = rule(*own, rng)
        return emitted

    return verify


@in_ragged_batches
def token_by_token(draft_probs: Array, target_probs: Array, draft_tokens: Tokens, rng: np.random.Generator) -> Tokens:
    """Contract chain: accept or replace each drafted token in turn; after L acceptances, a bonus token.

    (Leviathan et al. 2023, Algorithm 1.)
    """
    trials, length = draft_tokens.shape
    emitted = np.full((trials, length + 1), -1, dtype=np.int64)
    alive = np.arange(trials)
    for position in range(length):
        laws = draft_probs[alive, position], target_probs[alive, position]
        tokens, accepted = single.verify(
            *laws, draft_tokens[alive, position : position + 1], rng.random((alive.size, 2))
        )
        emitted[alive, position] = tokens
        alive = alive[accepted >= 0]
    emitted[alive, length] = invert(target_probs[alive, length], rng.random(alive.size))
    return emitted


@in_ragged_batches
def block_by_block(draft_probs: Array, target_probs: Array, draft_tokens: Tokens, rng: np.random.Generator) -> Tokens:
    """Contract chain: block verification of each row's drafts (Sun et al. 2024, Algorithm 2)."""
    trials, length = draft_tokens.shape
    block = whole_blocks.verify(draft_probs, target_probs, draft_tokens, rng.random((trials, length + 1)))
    place = np.arange(length + 1)
    kept = place < block.accepted[:, np.newaxis]
    padded = np.pad(draft_tokens, ((0, 0), (0, 1)), constant_values=-1)
    return np.where(kept, padded, np.where(place == block.accepted[:, np.newaxis], block.tokens[:, np.newaxis], -1))


def select(
    name: str, draft_probs: Array, target_probs: Array, draft_tokens: Tokens, rng: np.random.Generator
) -> tuple[Tokens, Tokens]:
    """Contract multi: a verifier of :data:`specproof.simulations.samplers.SAMPLERS`."""
    uniforms = rng.random((draft_tokens.shape[0], draft_tokens.shape[1] + 1))
    tokens, accepted = SAMPLERS[name](draft_probs, target_probs, draft_tokens, uniforms)
    return tokens, accepted


def select_however_drawn(
    draft_probs: Array, target_probs: Array, draft_tokens: Tokens, rng: np.random.Generator, drawn: str
) -> tuple[Tokens, Tokens]:
    """Contract multi: the rule for the way in which drafts were drawn.

    Independent and distinct drafts are tested by recursive rejection. Whatever else was drawn is compared with a draw
    from the target, which loses nothing, and is optimal for certain drafts.
    """
    uniforms = rng.random((draft_tokens.shape[0], draft_tokens.shape[1] + 1))
    if drawn in (Drafting.IID, Drafting.DISTINCT):
        rule = SAMPLERS["recursive"] if drawn == Drafting.IID else recursive_without_replacement.verify
        found = rule(draft_probs, target_probs, draft_tokens, uniforms)
        return found[0], found[1]
    tokens = invert(target_probs, uniforms[:, 0])
    same = draft_tokens == tokens[:, np.newaxis]
    return tokens, np.where(same.any(axis=1), same.argmax(axis=1), -1)


def speculate(
    draft: TabularModel,
    target: TabularModel,
    prompt: tuple[int, ...],
    length: int,
    trials: int,
    rng: np.random.Generator,
) -> Tokens:
    """Contract generate: rounds of drafting and :func:`token_by_token`, each text at its own pace."""
    return _in_rounds(_round, draft, target, prompt, length, trials, rng)


def speculate_layers(
    draft: TabularModel,
    target: TabularModel,
    prompt: tuple[int, ...],
    length: int,
    trials: int,
    rng: np.random.Generator,
) -> Tokens:
    """Contract generate: rounds of two draft sequences and priority layer verification."""
    return _in_rounds(_layer_round, draft, target, prompt, length, trials, rng)


def _in_rounds(
    one_round: Callable[[TabularModel, TabularModel, Tokens, np.random.Generator], Tokens],
    draft: TabularModel,
    target: TabularModel,
    prompt: tuple[int, ...],
    length: int,
    trials: int,
    rng: np.random.Generator,
) -> Tokens:
    whole = len(prompt) + length
    texts = np.full((trials, whole + DRAFTED + 1), -1, dtype=np.int64)
    texts[:, : len(prompt)] = prompt
    ends = np.full(trials, len(prompt))
    while (unfinished := np.flatnonzero(ends < whole)).size:
        end = int(ends[unfinished].min())  # all texts of one length go through one round together
        rows = unfinished[ends[unfinished] == end]
        emitted = one_round(draft, target, texts[rows, :end], rng)
        texts[rows, end : end + DRAFTED + 1] = emitted
        ends[rows] += (emitted >= 0).sum(axis=1)
    return texts[:, len(prompt) : whole]


def _round(draft: TabularModel, target: TabularModel, texts: Tokens, rng: np.random.Generator) -> Tokens:
    drafts, draft_rows, target_rows = texts, [], []
    for _ in range(DRAFTED):
        draft_rows.append(next_token_law(draft, drafts))
        target_rows.append(next_token_law(target, drafts))
        tokens = invert(draft_rows[-1], rng.random(len(texts)))
        drafts = np.concatenate([drafts, tokens[:, np.newaxis]], axis=1)
    target_rows.append(next_token_law(target, drafts))
    rows = np.stack(draft_rows, axis=1), np.stack(target_rows, axis=1)
    return token_by_token(*rows, drafts[:, -DRAFTED:], rng)


def _layer_round(draft: TabularModel, target: TabularModel, texts: Tokens, rng: np.random.Generator) -> Tokens:
    sequences = [texts] * SEQUENCES
    draft_rows, target_rows = [next_token_law(draft, texts)], [next_token_law(target, texts)]
    for level in range(DRAFTED):
        laws = draft_rows[-SEQUENCES:] if level else draft_rows * SEQUENCES
        drawn = [invert(law, rng.random(len(texts))) for law in laws]
        sequences = [
            np.concatenate(pair, axis=1) for pair in zip(sequences, np.array(drawn)[..., np.newaxis], strict=True)
        ]
        target_rows += [next_token_law(target, begun) for begun in sequences]
        if level + 1 < DRAFTED:
            draft_rows += [next_token_law(draft, begun) for begun in sequences]
    drafts = np.stack(sequences, axis=1)[:, :, -DRAFTED:]
    found = priority_layers.verify(
        np.stack(draft_rows, axis=1),
        np.stack(target_rows, axis=1),
        np.ascontiguousarray(drafts.transpose(0, 2, 1).reshape(len(texts), -1)),
        rng.random((len(texts), DRAFTED + 1)),
        LayerTree.sequences(SEQUENCES, DRAFTED),
    )
    chosen = np.pad(drafts[np.arange(len(texts)), np.maximum(found.draft, 0) % SEQUENCES], ((0, 0), (0, 1)))
    place, accepted = np.arange(DRAFTED + 1), found.accepted[:, np.newaxis]
    return np.where(place < accepted, chosen, np.where(place == accepted, found.tokens[:, np.newaxis], -1))


def round_until_unsure(
    draft: TabularModel, target: TabularModel, prefix: Tokens, length: int, rng: np.random.Generator
) -> Tokens:
    """Contract round: draft while the draft model is sure of the next token, before it is drawn; then verify.

    Whether to go on is decided by the tokens before, so that nothing is lost.
    """
    texts, drafting = prefix, np.ones(len(prefix), dtype=bool)
    draft_rows, target_rows, drafts = [], [next_token_law(target, prefix)], []
    for _ in range(length):
        draft_rows.append(next_token_law(draft, texts))
        drafting = drafting & (draft_rows[-1].max(axis=1) >= SURE)
        tokens = invert(draft_rows[-1], rng.random(len(texts)))
        drafts.append(np.where(drafting, tokens, -1))
        texts = np.concatenate([texts, tokens[:, np.newaxis]], axis=1)
        target_rows.append(next_token_law(target, texts))
    rows = np.stack(draft_rows, axis=1), np.stack(target_rows, axis=1)
    return token_by_token(*rows, np.stack(drafts, axis=1), rng)


def references() -> dict[str, tuple[Contract, Sampler]]:
    """The contract and the sampler of each reference, by name.

    Every verifier that is registered with a sampler is among them, those of a user too.
    """
    return {
        "token by token": (Contract.CHAIN, token_by_token),
        "block by block": (Contract.CHAIN, block_by_block),
        **{name: (Contract.MULTI, partial(select, name)) for name in SAMPLERS},
        "however drawn": (Contract.MULTI, select_however_drawn),
        "walk by the target": (Contract.TREE, walk_by_target),
        "recursive rejection on trees": (Contract.TREE, recursive_on_tree),
        "level by level, kseq": (Contract.TREE, partial(level_by_level, "kseq")),
        "round that stops when unsure": (Contract.ROUND, round_until_unsure),
        "speculative loop": (Contract.GENERATE, speculate),
        "speculative loop, as asked": (Contract.GENERATE, as_asked(speculate)),
        "loop with a seed for each row": (Contract.GENERATE, by_row_seeds(stream_of_each_seed)),
        "priority layers": (Contract.GENERATE, speculate_layers),
    }
