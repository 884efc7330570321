"""From a failing problem to the smallest one that still fails."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Callable, Iterator
from random import Random

from specproof.conformance.contract import Contract
from specproof.conformance.explanation.simplification import simpler
from specproof.conformance.problems.problem import Problem

SEARCHING = 0.5
"""Hypothesis looks for small failing problems in this share of the time and with this share of the candidates; the rest
is for polishing the smallest."""


class _IsSpent(BaseException):
    """Not an Exception: hypothesis would take that for one more failure, and shrink it."""


class _Judge:
    """Which problems fail: that is random, so each is judged once and the judgement kept.

    It goes on until a deadline, or until so many were judged.
    """

    def __init__(self, fails: Callable[[Problem], bool], deadline: float, most: int) -> None:
        self.fails, self.deadline, self.most = fails, deadline, most
        self.known: dict[str, bool] = {}
        self.failing: list[Problem] = []

    def __call__(self, candidate: Problem) -> bool:
        if time.monotonic() > self.deadline:
            raise _IsSpent
        key = repr(candidate)
        if key not in self.known:
            if len(self.known) >= self.most:
                raise _IsSpent
            self.known[key] = self.fails(candidate)
            if self.known[key]:
                self.failing.append(candidate)
        return self.known[key]


def shrink(problem: Problem, fails: Callable[[Problem], bool], seconds: float, candidates: int, seed: int) -> Problem:
    """Find the smallest failing problem among so many candidates, or among those that some seconds allow.

    Hypothesis looks for one, which then loses what it can. Where hypothesis finds none that is smaller, the given one
    is polished.
    """
    now = time.monotonic()
    judge = _Judge(fails, now + SEARCHING * seconds, int(SEARCHING * candidates))
    with contextlib.suppress(_IsSpent):
        _search(problem.contract, judge, seed)
    judge.deadline, judge.most = now + seconds, candidates
    found = min([problem, *judge.failing], key=lambda it: it.size)
    with contextlib.suppress(_IsSpent):
        _polish(found, judge)
    return min([found, *judge.failing], key=lambda it: it.size)


def _search(contract: Contract, judge: _Judge, seed: int) -> None:
    from hypothesis import HealthCheck, Phase, find, settings
    from hypothesis.errors import NoSuchExample

    from specproof.conformance.strategies import problems

    quiet = settings(
        max_examples=max(judge.most, 1),
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    with contextlib.suppress(NoSuchExample), _home_elsewhere():
        find(problems(contract), judge, settings=quiet, random=Random(seed))


@contextlib.contextmanager
def _home_elsewhere() -> Iterator[None]:
    """Let hypothesis keep the constants of the code that it reads in a folder that is gone afterwards."""
    from hypothesis import configuration

    home = vars(configuration)["__hypothesis_home_directory"]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as elsewhere:
        configuration.set_hypothesis_home_dir(elsewhere)
        try:
            yield
        finally:
            configuration.set_hypothesis_home_dir(home)


def _polish(problem: Problem, judge: _Judge) -> None:
    """Take one step after another to a simpler problem that still fails, until none does."""
    smaller = (candidate for candidate in simpler(problem) if candidate.size < problem.size)
    following = next(filter(judge, smaller), None)
    if following is not None:
        _polish(following, judge)
