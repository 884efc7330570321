"""From a failing problem to the smallest one that still fails."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from random import Random

from simulations.conformance.problems import MultiProblem, Problem

MOST_EXAMPLES = 300


class _TimeIsUp(BaseException):
    """Not an Exception: hypothesis would take that for one more failure, and shrink it."""


def shrink(problem: Problem, fails: Callable[[Problem], bool], seconds: float, seed: int) -> Problem:
    """Look for a smaller failing problem with hypothesis: the smallest found when it, or the time, comes to an end.

    ``fails`` is random, so each problem is judged once and the judgement kept.
    """
    from hypothesis import HealthCheck, Phase, find, settings
    from hypothesis.errors import NoSuchExample

    from simulations.conformance.strategies import problems

    deadline, known, failing = time.monotonic() + seconds, {}, [problem]

    def judge(candidate: Problem) -> bool:
        if time.monotonic() > deadline:
            raise _TimeIsUp
        key = repr(candidate)
        if key not in known:
            known[key] = fails(candidate)
            if known[key]:
                failing.append(candidate)
        return known[key]

    quiet = settings(
        max_examples=MOST_EXAMPLES,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    with contextlib.suppress(NoSuchExample, _TimeIsUp):
        find(problems(problem.contract), judge, settings=quiet, random=Random(seed))
    return min(failing, key=_size)


def _size(problem: Problem) -> tuple[int, int, int]:
    drafts = problem.num_drafts if isinstance(problem, MultiProblem) else 1
    return problem.target_law.size, drafts, len(problem.describe())
