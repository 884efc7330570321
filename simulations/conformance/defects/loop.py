"""Defects of whole decoding loops: what is drawn is not what is declared, and state that is not rolled back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from simulations.conformance.defects.chain import (
    ALWAYS_ACCEPTED,
    CHAIN_DEFECTS,
    GREEDY_TARGET,
    REPLACED_FROM_TARGET,
    SHARPENED_TARGET,
    STALE_BONUS,
)
from simulations.conformance.defects.defect import Defect
from simulations.conformance.defects.kernels import Rule, every_draft, normalised, pick
from simulations.conformance.problems import ChainProblem, GenerateProblem, Problem, Tokens, next_token_law
from simulations.samplers.inversion import invert
from theory.chain import TabularModel
from theory.distribution import Array

RIGHT = Rule()
DRAFT_LENGTH = 2
"""Tokens drafted in a round."""


def as_declared(law: Array) -> Array:
    """Draw from the law that the verifier is told."""
    return law


def top_two(law: Array) -> Array:
    """Keep the two likeliest tokens, renormalised."""
    kept = np.zeros_like(law)
    best = np.argsort(-law, axis=-1, kind="stable")[..., :2]
    np.put_along_axis(kept, best, np.take_along_axis(law, best, axis=-1), axis=-1)
    return normalised(kept, law)


def argmax(law: Array) -> Array:
    """Always take the likeliest token."""
    found: Array = np.eye(law.shape[-1])[law.argmax(axis=-1)]
    return found


def sharpened(law: Array) -> Array:
    """Halve the temperature."""
    return normalised(law**2, law)


@dataclass(frozen=True)
class Loop:
    """Rounds of drafting and verifying, until there are enough tokens."""

    rule: Rule = RIGHT
    drawn: Callable[[Array], Array] = as_declared
    """The law that drafts are drawn from, given the declared one."""
    keeps_rejected: bool = False
    """The models go on from the rejected draft instead of its replacement."""

    def sampler(
        self,
        draft_model: TabularModel,
        target_model: TabularModel,
        prompt: tuple[int, ...],
        length: int,
        n: int,
        rng: np.random.Generator,
    ) -> Tokens:
        """Generate n continuations; in step, those that are furthest behind first."""
        tokens = np.full((n, length + DRAFT_LENGTH + 1), -1, dtype=np.int64)
        context = np.concatenate([np.tile(np.array(prompt, dtype=np.int64), (n, 1)), tokens], axis=1)
        done = np.zeros(n, dtype=np.int64)
        while (behind := int(done.min())) < length:
            rows = np.flatnonzero(done == behind)
            start = len(prompt) + behind
            drafts, emitted = self._round(draft_model, target_model, context[rows, :start], rng)
            tokens[rows, behind : behind + DRAFT_LENGTH + 1] = emitted
            kept = (emitted >= 0).sum(axis=1) - 1
            if self.keeps_rejected:
                failed = kept < DRAFT_LENGTH
                emitted[failed, kept[failed]] = drafts[failed, kept[failed]]
            context[rows, start : start + DRAFT_LENGTH + 1] = emitted
            done[rows] += kept + 1
        return tokens[:, :length]

    def law(self, problem: Problem) -> Array:
        """The joint law of the tokens, round by round."""
        assert isinstance(problem, GenerateProblem)
        return self._continue(problem, problem.prompt, problem.length, {})

    def _round(
        self, draft_model: TabularModel, target_model: TabularModel, context: Tokens, rng: np.random.Generator
    ) -> tuple[Tokens, Tokens]:
        draft_rows, target_rows, seen = [], [next_token_law(target_model, context)], context
        for _ in range(DRAFT_LENGTH):
            draft_rows.append(next_token_law(draft_model, seen))
            drafted = invert(self.drawn(draft_rows[-1]), rng.random(len(seen)))
            seen = np.concatenate([seen, drafted[:, np.newaxis]], axis=1)
            target_rows.append(next_token_law(target_model, seen))
        drafts = seen[:, context.shape[1] :]
        return drafts, self.rule.sampler(np.stack(draft_rows, axis=1), np.stack(target_rows, axis=1), drafts, rng)

    def _continue(
        self, problem: GenerateProblem, context: tuple[int, ...], length: int, known: dict[tuple[int, ...], Array]
    ) -> Array:
        """The law of the next ``length`` tokens after a context as the models see it."""
        if context in known:
            return known[context]
        size = problem.num_tokens
        law = np.zeros((size,) * length)
        for mass, emitted, seen in self._ends(problem, context):
            if len(emitted) >= length:
                law[emitted[:length]] += mass
            else:
                law[emitted] += mass * self._continue(problem, seen, length - len(emitted), known)
        known[context] = law
        return law

    def _ends(
        self, problem: GenerateProblem, context: tuple[int, ...]
    ) -> list[tuple[float, tuple[int, ...], tuple[int, ...]]]:
        """Probability, emitted tokens and new context of every end of a round."""
        first = len(context)
        draft, target = (
            TabularModel([table[context] for table in model.conditionals[first : first + count]])
            for model, count in ((problem.draft, DRAFT_LENGTH), (problem.target, DRAFT_LENGTH + 1))
        )
        _, inputs = every_draft(ChainProblem(draft, target))
        weights = pick(self.drawn(inputs.draft_probs), inputs.draft_tokens).prod(axis=1)
        ends = self.rule.kernel(*inputs)
        mass = weights[:, np.newaxis, np.newaxis] * ends.stop[..., np.newaxis] * ends.token
        found = []
        for index, kept, token in np.argwhere(mass > 0).tolist():
            drafts = tuple(inputs.draft_tokens[index].tolist())
            emitted = (*drafts[:kept], token)
            wrong = self.keeps_rejected and kept < DRAFT_LENGTH
            found.append(
                (float(mass[index, kept, token]), emitted, context + (drafts[: kept + 1] if wrong else emitted))
            )
        return found


def _of_loop(name: str, title: str, loop: Loop, needs: str, witness: str, *threads: str) -> Defect:
    return Defect(name, title, "generate", loop.sampler, loop.law, needs, witness, threads)


_IN_LOOPS = {
    "replaced-from-target": REPLACED_FROM_TARGET,
    "always-accepted": ALWAYS_ACCEPTED,
    "greedy-target": GREEDY_TARGET,
    "target-at-other-temperature": SHARPENED_TARGET,
    "stale-bonus": STALE_BONUS,
}
"""Defects of a chain rule that show end to end."""

LOOP_DEFECTS: tuple[Defect, ...] = (
    _of_loop(
        "drawn-from-top-two",
        "drafts are drawn after a top-k filter and declared without it",
        Loop(drawn=top_two),
        "three tokens or more",
        "three tokens",
        "huggingface/transformers#47932",
        "mlx-node/mlx-node#11",
    ),
    _of_loop(
        "drawn-by-argmax",
        "drafts are the draft model's argmax, declared with its softmax",
        Loop(drawn=argmax),
        "a draft that is no point mass",
        "three tokens",
        "jaymody/speculative-sampling#3",
        "antirez/ds4#482",
        "alibaba/rtp-llm#1311",
    ),
    _of_loop(
        "drawn-at-other-temperature",
        "drafts are drawn at half the declared temperature",
        Loop(drawn=sharpened),
        "a draft that is neither uniform nor a point mass",
        "three tokens",
        "huggingface/transformers#28166",
    ),
    _of_loop(
        "keeps-rejected",
        "the models go on from the rejected draft: a cache that is not rolled back",
        Loop(keeps_rejected=True),
        "two rounds, rows that differ by context",
        "three tokens",
        "ml-explore/mlx-lm#1109",
        "Blaizzy/mlx-vlm#2113",
    ),
    *(
        replace(defect, contract="generate", sampler=Loop(rule).sampler, law=Loop(rule).law, witness="three tokens")
        for defect in CHAIN_DEFECTS
        if (rule := _IN_LOOPS.get(defect.name)) is not None
    ),
)
