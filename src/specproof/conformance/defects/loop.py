"""Defects of whole decoding loops: what is drawn is not what is declared, and state that is not rolled back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from specproof.conformance.defects.chain_defects import CHAIN_DEFECTS
from specproof.conformance.defects.defect import Defect
from specproof.conformance.defects.rules import (
    RIGHT,
    Ends,
    Rule,
    emit,
    every_draft,
    normalised,
    pick,
    point_mass,
    sharpened,
)
from specproof.conformance.defects.token_rules import (
    ALWAYS_ACCEPTED,
    GREEDY_TARGET,
    REPLACED_FROM_TARGET,
    SHARPENED_TARGET,
    STALE_BONUS,
    TYPICAL,
)
from specproof.conformance.problems import ChainProblem, Contract, GenerateProblem, Tokens, next_token_law
from specproof.simulations.samplers.inversion import invert
from specproof.theory.chain import TabularModel
from specproof.theory.distribution import Array

DRAFT_LENGTH = 2
"""A round drafts so many tokens."""


def as_declared(law: Array) -> Array:
    """Draw from the law that the verifier is told."""
    return law


def top_two(law: Array) -> Array:
    """Keep the two likeliest tokens, renormalised."""
    kept = np.zeros_like(law)
    best = np.argsort(-law, axis=-1, kind="stable")[..., :2]
    np.put_along_axis(kept, best, np.take_along_axis(law, best, axis=-1), axis=-1)
    return normalised(kept, law)


def whatever_is_emitted(drafts: Tokens, emitted: Tokens) -> Tokens:
    """Go on from what was emitted."""
    del drafts
    return emitted


def rejected_draft(drafts: Tokens, emitted: Tokens) -> Tokens:
    """Go on from the rejected draft instead of its replacement."""
    last = (emitted >= 0).sum(axis=1) - 1
    failed = last < drafts.shape[1]
    seen = emitted.copy()
    seen[failed, last[failed]] = drafts[failed, last[failed]]
    return seen


def last_token_alone(drafts: Tokens, emitted: Tokens) -> Tokens:
    """Take note of a round's last token and of nothing before it."""
    del drafts
    seen = np.full_like(emitted, -1)
    seen[:, :1] = pick(emitted, (emitted >= 0).sum(axis=1) - 1)[:, np.newaxis]
    return seen


class End(NamedTuple):
    """One way in which a round can end."""

    mass: float
    emitted: tuple[int, ...]
    context: tuple[int, ...]
    """The context as the models see it afterwards."""


@dataclass(frozen=True)
class Loop:
    """Rounds of drafting and verifying, until there are enough tokens."""

    rule: Rule = RIGHT
    drawn: Callable[[Array], Array] = as_declared
    """The law that drafts are drawn from, given the declared one."""
    recorded: Callable[[Tokens, Tokens], Tokens] = whatever_is_emitted
    """What the models go on from, given drafts (n, L) and emitted rows (n, L+1), in rows such as the emitted ones."""

    def sampler(
        self,
        draft_model: TabularModel,
        target_model: TabularModel,
        prompt: tuple[int, ...],
        length: int,
        n: int,
        rng: np.random.Generator,
    ) -> Tokens:
        """Generate n continuations; all contexts of one length go through a round together, the shortest first."""
        places = np.arange(DRAFT_LENGTH + 1)
        texts = np.full((n, length + places.size), -1, dtype=np.int64)
        context = np.full((n, len(prompt) + length + places.size), -1, dtype=np.int64)
        context[:, : len(prompt)] = prompt
        done, ends = np.zeros(n, dtype=np.int64), np.full(n, len(prompt))
        while (unfinished := np.flatnonzero(done < length)).size:
            end = int(ends[unfinished].min())
            rows = unfinished[ends[unfinished] == end]
            drafts, emitted = self._round(draft_model, target_model, context[rows, :end], length - done[rows], rng)
            recorded = self.recorded(drafts, emitted)
            texts[rows[:, np.newaxis], done[rows, np.newaxis] + places] = emitted
            context[rows, end : end + places.size] = recorded
            done[rows] += (emitted >= 0).sum(axis=1)
            ends[rows] += (recorded >= 0).sum(axis=1)
        return texts[:, :length]

    def law(self, problem: GenerateProblem) -> Array:
        """Give the joint law of the tokens, round by round."""
        return self._continue(problem, problem.prompt, problem.length, {})

    def _round(
        self,
        draft_model: TabularModel,
        target_model: TabularModel,
        context: Tokens,
        missing: Tokens,
        rng: np.random.Generator,
    ) -> tuple[Tokens, Tokens]:
        """Draw drafts and emitted rows, from contexts (n, m) and the numbers of tokens that are still missing (n,)."""
        draft_rows, target_rows, seen = [], [_law_after(target_model, context)], context
        for place in range(DRAFT_LENGTH):
            drafted, law = self._draft(_law_after(draft_model, seen), place < missing - 1, rng)
            draft_rows.append(law)
            seen = np.concatenate([seen, drafted[:, np.newaxis]], axis=1)
            target_rows.append(_law_after(target_model, seen))
        drafts = seen[:, context.shape[1] :]
        return drafts, self.rule.sampler(np.stack(draft_rows, axis=1), np.stack(target_rows, axis=1), drafts, rng)

    def _draft(self, law: Array, wanted: NDArray[np.bool_], rng: np.random.Generator) -> tuple[Tokens, Array]:
        """Draw a token for each row; what the verifier is told of its law. Unwanted drafts are cut off in the end."""
        del wanted
        return invert(self.drawn(law), rng.random(len(law))), law

    def _kernel(self, draft_probs: Array, target_probs: Array, draft_tokens: Tokens) -> Ends:
        return self.rule.kernel(draft_probs, target_probs, draft_tokens)

    def _continue(
        self,
        problem: GenerateProblem,
        context: tuple[int, ...],
        length: int,
        known: dict[tuple[tuple[int, ...], int], Array],
    ) -> Array:
        """The law of the next ``length`` tokens after a context as the models see it."""
        if (context, length) in known:
            return known[context, length]
        law = np.zeros((problem.num_tokens,) * length)
        for end in self._ends(problem, context):
            if len(end.emitted) >= length:
                law[end.emitted[:length]] += end.mass
            else:
                rest = self._continue(problem, end.context, length - len(end.emitted), known)
                law[end.emitted] += end.mass * rest
        known[context, length] = law
        return law

    def _ends(self, problem: GenerateProblem, context: tuple[int, ...]) -> Iterator[End]:
        """Give every end of a round."""
        draft, target = models_after(problem, context, DRAFT_LENGTH)
        _, inputs = every_draft(ChainProblem(draft, target))
        weights = pick(self.drawn(inputs.draft_probs), inputs.draft_tokens).prod(axis=1)
        ends = self._kernel(*inputs)
        mass = weights[:, np.newaxis, np.newaxis] * ends.stop[..., np.newaxis] * ends.token
        index, kept, token = np.nonzero(mass)
        drafts = inputs.draft_tokens[index]
        emitted = emit(drafts, kept, token)
        rows = zip(mass[index, kept, token], emitted, self.recorded(drafts, emitted), strict=True)
        for share, tokens, recorded in rows:
            yield End(float(share), _written(tokens), context + _written(recorded))


class PaddedLoop(Loop):
    """Drafts no more than a text still needs beside the bonus token, and verifies the padding as well.

    An index of -1 reads the last token's probabilities, of which the draft's are 0.
    """

    def _draft(self, law: Array, wanted: NDArray[np.bool_], rng: np.random.Generator) -> tuple[Tokens, Array]:
        tokens, law = super()._draft(law, wanted, rng)
        return np.where(wanted, tokens, -1), np.where(wanted[:, np.newaxis], law, 0.0)


def models_after(problem: GenerateProblem, context: tuple[int, ...], drafts: int) -> tuple[TabularModel, TabularModel]:
    """Give both models after a context, for a number of drafts and a bonus token."""
    first = len(context)
    draft, target = (
        TabularModel([table[context] for table in model.conditionals[first : first + count]])
        for model, count in ((problem.draft, drafts), (problem.target, drafts + 1))
    )
    return draft, target


def _law_after(model: TabularModel, tokens: Tokens) -> Array:
    """Give the next token's law; as an index of -1 does, padding reads the last token's."""
    return next_token_law(model, tokens % model.num_states)


def _written(row: Tokens) -> tuple[int, ...]:
    return tuple(row[row >= 0].tolist())


def _of_loop(name: str, title: str, loop: Loop, needs: str, witness: str, *threads: str) -> Defect:
    return Defect(name, title, Contract.GENERATE, loop.sampler, loop.law, needs, witness, threads)


_IN_LOOPS = {
    "replaced-from-target": REPLACED_FROM_TARGET,
    "always-accepted": ALWAYS_ACCEPTED,
    "greedy-target": GREEDY_TARGET,
    "target-at-other-temperature": SHARPENED_TARGET,
    "stale-bonus": STALE_BONUS,
    "typical-acceptance": TYPICAL,
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
        Loop(drawn=point_mass),
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
        Loop(recorded=rejected_draft),
        "two rounds, rows that differ by context",
        "three tokens",
        "ml-explore/mlx-lm#1109",
        "Blaizzy/mlx-vlm#2113",
    ),
    _of_loop(
        "accepted-not-counted",
        "penalties and other state take note of the last token of a round only",
        Loop(recorded=last_token_alone),
        "two rounds, a target that depends on more than the last token",
        "a penalty on repetition",
        "sgl-project/sglang#33643",
        "osaurus-ai/vmlx-swift#357",
        "vllm-project/vllm#33251",
    ),
    Defect(
        "padding-as-index",
        "drafts are padded with -1, which is used as an index: the padding is accepted",
        Contract.GENERATE,
        PaddedLoop().sampler,
        None,
        "a last round that needs fewer drafts",
        "",
        ("flashinfer-ai/flashinfer#879", "flashinfer-ai/flashinfer#3551"),
    ),
    *(
        replace(
            defect, contract=Contract.GENERATE, sampler=Loop(rule).sampler, law=Loop(rule).law, witness="three tokens"
        )
        for defect in CHAIN_DEFECTS
        if (rule := _IN_LOOPS.get(defect.name)) is not None
    ),
)
