"""Defects of rounds that draft for themselves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from specproof.conformance.defects.defect import Defect
from specproof.conformance.defects.loop import as_declared
from specproof.conformance.defects.rules import (
    RIGHT,
    Rule,
    every_draft,
    pick,
    quotient,
    residual,
    scatter,
    sharpened,
)
from specproof.conformance.problems import ChainProblem, Contract, RoundProblem, Tokens, next_token_law
from specproof.simulations.samplers.inversion import invert
from specproof.theory.chain import TabularModel
from specproof.theory.distribution import Array

UNSURE = 0.4
"""A draft of a lower probability than this is dropped by the defects that look at the drafted token itself."""


@dataclass(frozen=True)
class Round:
    """Draft so many tokens and verify them by a rule."""

    rule: Rule = RIGHT
    drawn: Callable[[Array], Array] = as_declared
    """The law that drafts are drawn from, given the one that the rule is told."""

    def sampler(
        self,
        draft_model: TabularModel,
        target_model: TabularModel,
        prefix: Tokens,
        length: int,
        rng: np.random.Generator,
    ) -> Tokens:
        """Run n rounds."""
        draft, target, text = [], [next_token_law(target_model, prefix)], prefix
        for _ in range(length):
            draft.append(next_token_law(draft_model, text))
            token = invert(self.drawn(draft[-1]), rng.random(len(text)))
            text = np.concatenate([text, token[:, np.newaxis]], axis=1)
            target.append(next_token_law(target_model, text))
        rows = np.stack(draft, axis=1), np.stack(target, axis=1)
        return self.rule.sampler(*rows, text[:, prefix.shape[1] :], rng)

    def law(self, problem: RoundProblem) -> Array:
        """Give the joint law of the prefix and the emitted row."""
        law = np.zeros(problem.emitted_shape)
        first = TabularModel(problem.target.conditionals[: problem.prefix]).joint() if problem.prefix else np.ones(())
        for prefix in np.ndindex(first.shape):
            draft, target = (
                [table[prefix] for table in model.conditionals[problem.prefix :]] for model in problem.models
            )
            chain = ChainProblem(TabularModel(draft[:-1]), TabularModel(target))
            _, inputs = every_draft(chain)
            weights = pick(self.drawn(inputs.draft_probs), inputs.draft_tokens).prod(axis=1)
            law[prefix] = first[prefix] * scatter(chain, weights, inputs.draft_tokens, self.rule.kernel(*inputs))
        return law


def _kept_if_sure(draft: Array, target: Array, tokens: Tokens) -> Array:
    return np.where(pick(draft, tokens) < UNSURE, 0.0, quotient(draft, target, tokens))


def _target_if_unsure(draft: Array, target: Array, tokens: Tokens) -> Array:
    unsure = (pick(draft, tokens) < UNSURE)[..., np.newaxis]
    return np.where(unsure, target, residual(draft, target, tokens))


DROPPED, WARPED = Round(Rule(test=_kept_if_sure, replace=_target_if_unsure)), Round(drawn=sharpened)

ROUND_DEFECTS: tuple[Defect, ...] = (
    Defect(
        "drafts-dropped-by-value",
        "a draft that the draft model is unsure of is dropped after it was drawn, and the target goes on",
        Contract.ROUND,
        DROPPED.sampler,
        DROPPED.law,
        "drafts of low probability",
        "one draft",
        ("vllm-project/vllm#35301",),
    ),
    Defect(
        "warped-draft-undeclared",
        "drafts are drawn at half the temperature of the law that stands in the ratio",
        Contract.ROUND,
        WARPED.sampler,
        WARPED.law,
        "a draft that is neither uniform nor a point mass",
        "one draft",
    ),
)

PLAIN_ROUND = Defect(
    "plain-round", "drafts and verifies by the plain rule", Contract.ROUND, Round().sampler, Round().law, "", ""
)
"""The right rule."""
