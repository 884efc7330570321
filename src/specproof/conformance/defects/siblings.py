"""Loops that draft a tree of one level: siblings drawn without replacement, and siblings that are certain."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from specproof.conformance.defects.defect import Defect
from specproof.conformance.defects.loop import DRAFT_LENGTH, End, Loop, models_after
from specproof.conformance.defects.rules import normalised, quotient, residual
from specproof.conformance.problems import Contract, GenerateProblem, Tokens, next_token_law
from specproof.simulations.samplers.inversion import invert
from specproof.theory.chain import TabularModel
from specproof.theory.distribution import Array


def own_law(draft: Array, drawn: Array) -> Array:
    """Declare the law that the second sibling is drawn from."""
    del draft
    return drawn


def whole_law(draft: Array, drawn: Array) -> Array:
    """Declare the draft law as if nothing had been drawn yet."""
    del drawn
    return draft


@dataclass(frozen=True)
class SiblingLoop(Loop):
    """Two siblings without replacement, tested in turn against what is left of the target; after one, a bonus token."""

    declared: Callable[[Array, Array], Array] = own_law
    """The law of the second sibling that the verifier is told, given the first one's and the true one."""

    def _second(self, draft: Array, elder: Tokens) -> Array:
        """The law that the second sibling is drawn from, given the first. Laws (..., V), tokens (...)."""
        left = draft.copy()
        np.put_along_axis(left, elder[..., np.newaxis], 0.0, axis=-1)
        return self.drawn(normalised(left, draft))

    def _round(
        self,
        draft_model: TabularModel,
        target_model: TabularModel,
        context: Tokens,
        _missing: Tokens,
        rng: np.random.Generator,
    ) -> tuple[Tokens, Tokens]:
        draft, left = next_token_law(draft_model, context), next_token_law(target_model, context)
        law = self.drawn(draft)
        emitted = np.full((len(context), DRAFT_LENGTH + 1), -1, dtype=np.int64)
        drafts = np.empty((len(context), 2), dtype=np.int64)
        for place in range(2):
            drafts[:, place] = invert(law, rng.random(len(law)))
            told = self.declared(self.drawn(draft), law) if place else law
            tokens, waiting = drafts[:, place], emitted[:, 0] < 0
            passed = waiting & (rng.random(len(law)) < quotient(told, left, tokens))
            emitted[passed, 0] = tokens[passed]
            left = residual(told, left, tokens)
            law = self._second(draft, tokens)
        accepted = emitted[:, 0] >= 0
        emitted[~accepted, 0] = invert(left[~accepted], rng.random(int((~accepted).sum())))
        bonus = next_token_law(target_model, np.concatenate([context, emitted[:, :1]], axis=1))
        emitted[accepted, 1] = invert(bonus[accepted], rng.random(int(accepted.sum())))
        return drafts, emitted

    def _ends(self, problem: GenerateProblem, context: tuple[int, ...]) -> Iterator[End]:
        size, tokens = problem.num_tokens, np.arange(problem.num_tokens)
        models = models_after(problem, context, 1)
        (draft,), (target, bonus) = models[0].conditionals, models[1].conditionals
        first = self.drawn(draft)
        second = self._second(np.broadcast_to(draft, (size, size)).copy(), tokens)
        told = self.declared(np.broadcast_to(first, (size, size)), second)
        accept = quotient(np.broadcast_to(first, (size, size)), np.broadcast_to(target, (size, size)), tokens)
        left = residual(first, target, tokens)
        # Axes: the first sibling, the second.
        reached = (first * (1.0 - accept))[:, np.newaxis] * second
        again = np.stack(
            [quotient(told, np.broadcast_to(left, (size, size)), np.full(size, y)) for y in tokens], axis=1
        )
        replaced = np.einsum(
            "xy,xz->z", reached * (1.0 - again), residual(told, np.broadcast_to(left, told.shape), tokens)
        )
        pairs = (first * accept + (reached * again).sum(axis=0))[:, np.newaxis] * bonus
        for token in range(size):
            yield End(float(replaced[token]), (token,), (*context, token))
            for after in range(size):
                yield End(float(pairs[token, after]), (token, after), (*context, token, after))


WITHOUT_REPLACEMENT = SiblingLoop()

SIBLING_DEFECTS: tuple[Defect, ...] = (
    Defect(
        "siblings-not-renormalised",
        "siblings are drawn without replacement, and the second is tested with the draft law of the first",
        Contract.GENERATE,
        SiblingLoop(declared=whole_law).sampler,
        SiblingLoop(declared=whole_law).law,
        "three tokens or more, a residual of two tokens or more",
        "three tokens",
        ("SafeAILab/EAGLE#20",),
    ),
)
