"""Where the randomness comes from: the same inputs again, with the same generator and with others."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any

import numpy as np
import scipy  # its parts load when first used: scipy.stats takes a second

from specproof.conformance.evidence.sampling import largest_call, sample_call
from specproof.conformance.problems.drawing import Tokens
from specproof.conformance.problems.problem import Problem
from specproof.conformance.subject.sampler_under_test import Subject
from specproof.conformance.tree import Tree

REPEATED, STREAMS = 256, 64
"""Trials of the calls that are repeated, and generators that they are repeated with at most; that two of them give a
lossless sampler the same output in all trials has a chance far below any level."""
SURE = 0.9
"""Trials are looked at one by one where no token may come first with a higher chance, given the drafts."""
UNLIKELY = 4
"""That a rule which seldom draws answers so many generators the same, though it drew, has a chance of about 1e-9."""


class Repetition(StrEnum):
    """What the same inputs with the same generator give again."""

    SAME = "the same"
    REMEMBERS = "another output after another call"
    ELSEWHERE = "another output after the same call"


def repetition(subject: Subject, problem: Problem, trials: int, rng: np.random.Generator) -> Repetition:
    """Say what the same inputs with the same generator give after the same call, and after one of other inputs.

    Two outputs after the same call that are equal and unlike one after another call show that the function keeps
    something of its calls; were its randomness from elsewhere, the two would hardly be equal.

    Raises
    ------
    Crash, InvalidOutput
        If the sampler fails, see :mod:`specproof.conformance.subject.failures`.
    """
    run, _ = _repeatable(subject, problem, trials, rng)
    before = [_repeatable(subject, problem, trials, rng)[0] for _ in range(2)]

    def after(call: int) -> Tokens:
        before[call](2 + call)
        return run(1)

    after(0)  # what is kept of earlier calls is kept of these from here on
    one, again, other = after(0), after(0), after(1)
    if not np.array_equal(one, again):
        return Repetition.ELSEWHERE
    return Repetition.SAME if np.array_equal(one, other) else Repetition.REMEMBERS


def remembers_larger_calls(subject: Subject, problem: Problem, trials: int, rng: np.random.Generator) -> bool:
    """Whether the same inputs with the same generator give the same again, and another output after the largest call.

    It has more trials than any before, of other inputs: what keeps rows of the largest call so far keeps others then.

    Raises
    ------
    Crash, InvalidOutput
        If the sampler fails, see :mod:`specproof.conformance.subject.failures`.
    """
    run, _ = _repeatable(subject, problem, trials, rng)
    one, again = run(1), run(1)
    sample_call(subject, problem, largest_call(subject) + 1, rng)
    other = run(1)
    return np.array_equal(one, again) and not np.array_equal(one, other)


def rows_follow_seeds(subject: Subject, problem: Problem, trials: int, rng: np.random.Generator) -> bool:
    """Whether rows that are handed the same seeds again have the same texts, in other places and beside fewer rows.

    Raises
    ------
    Crash, InvalidOutput
        If the sampler fails, see :mod:`specproof.conformance.subject.failures`.
    """
    arguments = problem.arguments(trials, rng)
    chosen = rng.permutation(trials)[: max(trials // 2, 1)]
    whole = problem.ask(subject, arguments, 1).tokens
    return np.array_equal(problem.ask(subject, arguments.rows(chosen), 2).tokens, whole[chosen])


class Streams:
    """What the same inputs give with many generators.

    Raises
    ------
    Crash, InvalidOutput
        If the sampler fails, see :mod:`specproof.conformance.subject.failures`.
    """

    def __init__(self, subject: Subject, problem: Problem, streams: int, rng: np.random.Generator) -> None:
        """Run the same ``REPEATED`` trials once with each of so many generators."""
        run, arguments = _repeatable(subject, problem, REPEATED, rng)
        self._outputs = [run(int(seed)) for seed in rng.integers(2**63, size=streams)]
        likeliest = problem.target_law.sum(axis=tuple(range(1, problem.target_law.ndim))).max()
        self._uncertain = likeliest <= SURE * problem.chance_of_drafts(arguments)
        self._groups = _equal_rows(problem, arguments)
        self._calls = f"{streams} calls on the same {REPEATED} trials, each with an rng of its own,"

    def shared(self) -> str:
        """Say what is wrong, in a sentence, if two generators give the same in all trials."""
        outputs = len({tokens.tobytes() for tokens in self._outputs})
        if outputs == len(self._outputs):
            return ""
        cause = "it ignores rng" if outputs == 1 else "few streams, shared ones, or an output that hardly varies"
        return f"{self._calls} have {outputs} output{'s' if outputs > 1 else ''}: {cause}"

    def drawn_without(self) -> str:
        """Say what is wrong, in a sentence, if all generators give the same, and not the same to equal inputs.

        A rule that is declared to be lossy may follow from its inputs alone, such as one that takes every draft. One
        that answers equal inputs of a batch in several ways draws, and if no generator changes that, not from them.
        """
        first = self._outputs[0]
        if len(self._outputs) < UNLIKELY or any(not np.array_equal(tokens, first) for tokens in self._outputs):
            return ""
        answers = len(np.unique(np.column_stack([self._groups, first]), axis=0))
        if answers == len(np.unique(self._groups)):
            return ""
        return f"{self._calls} have 1 output, in which equal inputs have several: it draws, and ignores rng"

    def unused(self, level: float) -> str:
        """Say what is wrong, in a sentence, if too many trials have the same first token with all generators.

        A lossless sampler emits a first, given all drafts, with probability at most q(a) over that of the drafts, so
        that all of m generators agree with probability at most the largest of these to the power m - 1.
        """
        firsts = np.stack([tokens[:, 0] for tokens in self._outputs])[:, self._uncertain]
        fixed, trials = int((firsts == firsts[0]).all(axis=0).sum()), firsts.shape[1]
        if scipy.special.bdtrc(fixed - 1, trials, SURE ** (len(firsts) - 1)) >= level:  # the chance of so many or more
            return ""
        return f"{self._calls} agree in the first token of {fixed} of {trials} trials: there, rng is not used"


def _repeatable(
    subject: Subject, problem: Problem, trials: int, rng: np.random.Generator
) -> tuple[Callable[[int], Tokens], Any]:
    """A call whose inputs are the same for every seed, and these inputs."""
    arguments = problem.arguments(trials, rng)

    def run(seed: int) -> Tokens:
        return problem.ask(subject, problem.reseeded(arguments, seed), seed).tokens

    return run, arguments


def _equal_rows(problem: Problem, arguments: Any) -> Tokens:
    """Number the inputs of each trial, shape (n,): equal ones have one number."""
    handed = [*problem.positional(arguments), *problem.named(arguments).values()]
    arrays = [part for it in handed for part in ((it.tokens, it.parents) if isinstance(it, Tree) else (it,))]
    rows = [it for it in arrays if isinstance(it, np.ndarray) and len(it) == arguments.trials and it.size]
    if not rows:
        return np.zeros(arguments.trials, dtype=np.int64)
    flat = np.column_stack([it.reshape(arguments.trials, -1) for it in rows])
    numbers: Tokens = np.unique(flat, axis=0, return_inverse=True)[1].reshape(-1)
    return numbers
