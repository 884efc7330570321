"""From a failing problem to the smallest one that still fails."""

from __future__ import annotations

import time
from collections.abc import Callable
from random import Random

from simulations.conformance.problems import Problem

MOST_EXAMPLES = 300


def shrink(problem: Problem, fails: Callable[[Problem], bool], seconds: float, seed: int) -> Problem:
    """Look for a smaller failing problem with hypothesis; the given one where none is found in time.

    ``fails`` is random, so each problem is judged once and the judgement kept. When time is up nothing new fails any
    more, which ends the search with the smallest found so far.
    """
    from hypothesis import HealthCheck, Phase, find, settings
    from hypothesis.errors import NoSuchExample

    from simulations.conformance.strategies import problems

    deadline, known = time.monotonic() + seconds, {}

    def judge(candidate: Problem) -> bool:
        key = repr(candidate)
        if key not in known:
            known[key] = time.monotonic() < deadline and fails(candidate)
        return known[key]

    quiet = settings(
        max_examples=MOST_EXAMPLES,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    try:
        found = find(problems(problem.contract), judge, settings=quiet, random=Random(seed))
    except NoSuchExample:
        return problem
    return min(problem, found, key=_size)


def _size(problem: Problem) -> tuple[int, int]:
    return problem.target_law.size, len(problem.describe())
