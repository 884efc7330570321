"""Defects of ragged batches, and of drafts that come without a law."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from specproof.conformance.defects.defect import Defect
from specproof.conformance.defects.rules import (
    RIGHT,
    Ends,
    Rule,
    emit,
    emitted_law,
)
from specproof.conformance.problems import ChainProblem, Contract, Tokens
from specproof.conformance.problems.padding import padding_law
from specproof.simulations.samplers.inversion import invert
from specproof.theory.distribution import Array

ChainLaw = Callable[[ChainProblem], Array]


def over_lengths(law: ChainLaw) -> ChainLaw:
    """Make the law of rows with all drafts one of ragged batches, in which rows without drafts are target draws."""

    def whole(problem: ChainProblem) -> Array:
        if problem.lengths is None and problem.declared:
            return law(problem)
        mixed = np.zeros(problem.emitted_shape)
        for length, share in enumerate(problem.shares):
            place = (slice(None),) * (length + 1) + (0,) * (problem.length - length)
            mixed[place] += share * _of_length(law, problem, length)
        return mixed

    return whole


def _of_length(law: ChainLaw, problem: ChainProblem, length: int) -> Array:
    if length == 0:
        return np.append(0.0, problem.target.conditionals[0])
    cut = problem.cut(length)
    return law(ChainProblem(cut.draft, cut.target))


def at_any_length(defect: Defect) -> Defect:
    """Give a defect of the contract chain its law in ragged batches too; others stay as they are."""
    if defect.contract != Contract.CHAIN or defect.law is None:
        return defect
    return replace(defect, law=over_lengths(defect.law))


@dataclass(frozen=True)
class RaggedRule:
    """A rule in ragged batches: rows of fewer drafts end earlier, and a draft without a law is certain."""

    rule: Rule = RIGHT
    past_the_row: bool = False
    """Whether the bonus token is drawn from the row of the longest."""
    without_law: Callable[[Array, Tokens], Array] | None = None
    """The law that a draft without one is tested with, from the target's rows; by default it is certain."""

    def sampler(
        self, draft_probs: Array | None, target_probs: Array, draft_tokens: Tokens, rng: np.random.Generator
    ) -> Tokens:
        """Verify n rows."""
        lengths, longest = (draft_tokens >= 0).sum(axis=1), draft_tokens.shape[1]
        drafts = np.maximum(draft_tokens, 0)
        draft = self._law(target_probs, drafts) if draft_probs is None else draft_probs
        accept = self.rule.test(draft, target_probs[:, :-1], drafts)
        accepted = (rng.random(drafts.shape) < accept) & (draft_tokens >= 0)
        kept = np.cumprod(accepted, axis=1).sum(axis=1)
        laws = np.concatenate([self.rule.replace(draft, target_probs[:, :-1], drafts), target_probs[:, -1:]], axis=1)
        rows, whole = np.arange(len(kept)), kept == lengths
        laws = np.where(whole[:, np.newaxis], target_probs[rows, self._bonus(lengths, longest)], laws[rows, kept])
        return emit(draft_tokens, kept, invert(laws, rng.random(len(kept))))

    def _law(self, target_probs: Array, drafts: Tokens) -> Array:
        if self.without_law is not None:
            return self.without_law(target_probs[:, :-1], drafts)
        certain: Array = np.eye(target_probs.shape[-1])[drafts]
        return certain

    def _bonus(self, lengths: Tokens, longest: int) -> Tokens:
        return np.full_like(lengths, longest) if self.past_the_row else lengths


def uniform_law(target: Array, drafts: Tokens) -> Array:
    """Take a draft without a law for one of a uniform draw."""
    del drafts
    return np.full_like(target, 1.0 / target.shape[-1])


OLD_LAW, PAST_THE_ROW = RaggedRule(without_law=uniform_law), RaggedRule(past_the_row=True)


def old_law(problem: ChainProblem) -> Array:
    """Give the law of the right rule that takes drafts without a law for uniform draws."""

    def kernel(draft: Array, target: Array, drafts: Tokens) -> Ends:
        told = draft if problem.declared else uniform_law(target[:, :-1], drafts)
        return RIGHT.kernel(told, target, drafts)

    return over_lengths(lambda part: emitted_law(part, kernel))(problem)


def past_the_row(problem: ChainProblem) -> Array:
    """Give the law of the right rule whose bonus token comes from the row of the longest, which may be padding."""
    padding = padding_law(problem.num_tokens)

    def kernel(draft: Array, target: Array, drafts: Tokens) -> Ends:
        ends = RIGHT.kernel(draft, target, drafts)
        if drafts.shape[1] < problem.length:
            ends.token[:, -1] = padding
        return ends

    law = over_lengths(lambda part: emitted_law(part, kernel))(problem)
    if problem.lengths is not None:
        law[(slice(None),) + (0,) * problem.length] += problem.shares[0] * np.append(
            0.0, padding - problem.target.conditionals[0]
        )
    return law


def no_token(draft_probs: Array | None, target_probs: Array, draft_tokens: Tokens, rng: np.random.Generator) -> Tokens:
    """Emit nothing in rows without drafts."""
    emitted = RaggedRule().sampler(draft_probs, target_probs, draft_tokens, rng)
    return np.where((draft_tokens[:, :1] < 0), -1, emitted)


def reads_padding(
    draft_probs: Array | None, target_probs: Array, draft_tokens: Tokens, rng: np.random.Generator
) -> Tokens:
    """Test the token 0 in the place of what a row does not have, as buffers that were zeroed hold it."""
    return RaggedRule().sampler(draft_probs, target_probs, np.maximum(draft_tokens, 0), rng)


RAGGED_DEFECTS: tuple[Defect, ...] = (
    Defect(
        "bonus-past-the-row",
        "the bonus token of a row with fewer drafts is drawn from the row of the longest, which is padding",
        Contract.CHAIN,
        PAST_THE_ROW.sampler,
        past_the_row,
        "a ragged batch",
        "ragged, two drafts",
        ("vllm-project/vllm#50952", "vllm-project/vllm#54442"),
    ),
    Defect(
        "certain-draft-as-uniform",
        "a draft that comes without a law is tested as if it had been drawn evenly",
        Contract.CHAIN,
        OLD_LAW.sampler,
        old_law,
        "drafts without a law",
        "no draft law",
    ),
    Defect(
        "nothing-without-drafts",
        "rows without drafts emit no token",
        Contract.CHAIN,
        no_token,
        None,
        "a ragged batch",
        "",
        ("vllm-project/vllm#30122",),
    ),
    Defect(
        "padding-as-draft",
        "what a row does not have is tested as a draft of token 0",
        Contract.CHAIN,
        reads_padding,
        None,
        "a ragged batch",
        "",
        ("vllm-project/vllm#26467",),
    ),
)
