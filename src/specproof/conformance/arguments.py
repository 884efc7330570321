"""What a check can be asked for, and what it may spend."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypedDict

from specproof.conformance.contract import Contract, as_contract
from specproof.theory.display import shown
from specproof.theory.errors import InvalidInput
from specproof.theory.integers import natural_number, positive_integer
from specproof.theory.numbers import finite_number, positive_number

LEVEL = 1e-6
"""The default chance that the check of a lossless sampler alarms."""
LEAST_LEVEL = 1e-100
"""The least level: shared by all tests of a check, one near the smallest float would be 0."""
LONGEST = 86_400.0
"""The longest time limit, a day in seconds: clocks and locks do not take every float."""


def _check_seconds(seconds: float, name: str) -> None:
    if positive_number(seconds, name) > LONGEST:
        raise InvalidInput(f"{name} is {seconds!r}: it must be at most {LONGEST:g} seconds, a day")


@dataclass(frozen=True)
class Budget:
    """How much a check spends.

    Attributes
    ----------
    first : int
        The number of trials on each problem in the first round; each further round doubles it.
    rounds : int
        The number of rounds.
    small : int
        The number of calls with one trial; there are half as many with two, and a quarter with three and with up to
        some hundred.
    degenerate : int
        The number of trials on each degenerate problem.
    seconds : float
        The time limit of the check, a day at most; a single call may take half of it. The first call, which may have to
        compile, is not counted.
    candidates : int
        The number of problems that are tried in search of a small one that fails, once an alarm was given.

    Raises
    ------
    InvalidInput
        If a number is not an integer >= 1, or the time limit not positive or longer than a day.

    Examples
    --------
    >>> Budget(first=500, rounds=2, small=20, degenerate=100, seconds=60.0).rounds
    2
    """

    first: int
    rounds: int
    small: int
    degenerate: int
    seconds: float
    candidates: int = 300

    def __post_init__(self) -> None:
        for name in ("first", "rounds", "small", "degenerate", "candidates"):
            positive_integer(getattr(self, name), f"Budget.{name}")
        _check_seconds(self.seconds, "Budget.seconds")

    @property
    def first_call(self) -> float:
        """Give the seconds that the first call may take: six times the limit up to a minute, or a longer limit."""
        return max(self.seconds, min(6 * self.seconds, 60.0))


DEFAULT = Budget(first=1000, rounds=10, small=4000, degenerate=4000, seconds=10.0)
"""The default budget, seconds."""
THOROUGH = Budget(first=1000, rounds=14, small=20_000, degenerate=20_000, seconds=60.0)
"""The budget of a thorough check, a minute."""
CI = Budget(first=280, rounds=3, small=60, degenerate=100, seconds=900.0, candidates=60)
"""A budget that counts trials, for the verdict of a test-suite not to depend on what else its machine does."""
BUDGETS = {"default": DEFAULT, "thorough": THOROUGH, "ci": CI}
"""Budgets by name."""


class Options(TypedDict, total=False):
    """The options of :func:`~specproof.conformance.check_sampler`, which documents them."""

    thorough: bool
    level: float
    seed: int
    time_limit: float | None
    arrays: str
    budget: Budget | str | None
    require_seed: bool
    isolate: bool
    within: float | None
    problem: str | None
    progress: Callable[[str], None] | None


@dataclass(frozen=True)
class Settings:
    """What a check was asked for, once it has been found usable.

    Attributes
    ----------
    contract : Contract
        The signature of the sampler.
    budget : Budget
        What may be spent, time limit included.
    level : float
        The false-alarm probability of the whole check.
    seed : int
        The seed of the inputs and of the generators that the sampler is handed.
    arrays : {"numpy", "torch"}
        The library whose arrays a verifier is handed.
    require_seed : bool
        Whether output that differs for the same inputs and the same generator is invalid.
    within : float or None
        The total variation from the target that a lossy rule declares; None for a lossless one.
    problem : str or None
        The name of the one problem of the ladder to be run; None for all.
    """

    contract: Contract
    budget: Budget
    level: float
    seed: int
    arrays: str
    require_seed: bool
    within: float | None = None
    problem: str | None = None


def check_arguments(
    contract: Contract | str,
    *,
    thorough: bool,
    level: float,
    seed: int,
    time_limit: float | None,
    arrays: str,
    budget: Budget | str | None,
    require_seed: bool,
    within: float | None = None,
    problem: str | None = None,
) -> Settings:
    """Refuse what :func:`~specproof.conformance.check_sampler` cannot use.

    Raises
    ------
    InvalidInput
        Naming the argument.
    """
    known = as_contract(contract)
    check_level(level)
    natural_number(seed, "seed")
    if time_limit is not None:
        _check_seconds(time_limit, "time_limit")
    _check_arrays(arrays)
    spent = (THOROUGH if thorough else DEFAULT) if budget is None else _as_budget(budget)
    spent = spent if time_limit is None else replace(spent, seconds=time_limit)
    if within is not None:
        _check_within(within)
    if problem is not None:
        _check_problem(known, problem)
    return Settings(known, spent, level, seed, arrays, require_seed, within, problem)


def _as_budget(budget: Budget | str) -> Budget:
    if isinstance(budget, Budget):
        return budget
    if not isinstance(budget, str):
        raise InvalidInput(f"budget is a {type(budget).__name__}: give a Budget, such as Budget(500, 2, 20, 100, 60.0)")
    if budget not in BUDGETS:
        raise InvalidInput(f"budget is {shown(budget)}: choose {', '.join(BUDGETS)}, or give a Budget")
    return BUDGETS[budget]


def check_level(level: float) -> None:
    """Refuse what is no false-alarm level of a whole check.

    Raises
    ------
    InvalidInput
        If it is not one number of at least ``LEAST_LEVEL`` and below 1.
    """
    if not LEAST_LEVEL <= finite_number(level, "level") < 1:
        raise InvalidInput(f"level is {level!r}: it must be at least {LEAST_LEVEL:g} and below 1, such as 1e-6")


def _check_within(within: float) -> None:
    if not 0 < finite_number(within, "within") < 1:
        raise InvalidInput(f"within is {within!r}: it must be a total variation above 0 and below 1, such as 0.05")


def _check_problem(contract: Contract, problem: str) -> None:
    from specproof.conformance.problems.ladder import ladder

    names = list(ladder(contract))
    if problem not in names:
        raise InvalidInput(f"problem is {shown(problem)}: it must be one of {', '.join(map(repr, names))}")


def _check_arrays(arrays: str) -> None:
    if arrays not in ("numpy", "torch"):
        raise InvalidInput(f"arrays is {arrays!r}: it must be 'numpy' or 'torch'")
    if arrays == "torch" and importlib.util.find_spec("torch") is None:
        raise InvalidInput("arrays is 'torch', which is not installed: pip install 'specproof[llm]'")
