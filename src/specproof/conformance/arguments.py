"""What a check can be asked for, and what it may spend."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass

from specproof.conformance.problems import CONTRACTS
from specproof.theory.errors import InvalidInput
from specproof.theory.integers import natural_number, positive_integer
from specproof.theory.numbers import finite_number, positive_number

LEVEL = 1e-6
"""The chance that the check of a lossless sampler alarms."""
LEAST_LEVEL = 1e-100
"""Shared by all tests of a check, a level near the smallest float would be 0."""
LONGEST = 86_400.0
"""Seconds in a day: the longest time limit. Clocks and locks do not take every float."""


def _check_seconds(seconds: float, name: str) -> None:
    if positive_number(seconds, name) > LONGEST:
        raise InvalidInput(f"{name} is {seconds!r}: it must be at most {LONGEST:g} seconds, a day")


@dataclass(frozen=True)
class Budget:
    """How much a check spends.

    Attributes
    ----------
    first : int
        Trials on each problem in the first round; each further round doubles them.
    rounds : int
    small : int
        Calls with one trial; there are half as many with two, and a quarter with three and with up to some hundred.
    corner : int
        Trials on each degenerate problem.
    seconds : float
        Time limit of the check, a day at most; a single call may take half of it.

    Raises
    ------
    InvalidInput
        If a number is not an integer >= 1, or the time limit not positive or longer than a day.
    """

    first: int
    rounds: int
    small: int
    corner: int
    seconds: float

    def __post_init__(self) -> None:
        for name in ("first", "rounds", "small", "corner"):
            positive_integer(getattr(self, name), f"Budget.{name}")
        _check_seconds(self.seconds, "Budget.seconds")


DEFAULT = Budget(first=1000, rounds=7, small=2000, corner=4000, seconds=10.0)
THOROUGH = Budget(first=1000, rounds=11, small=20_000, corner=20_000, seconds=60.0)


def check_arguments(contract: str, level: float, seed: int, time_limit: float | None, arrays: str) -> None:
    """Refuse what :func:`check_sampler` cannot use.

    Raises
    ------
    InvalidInput
        Naming the argument.
    """
    if contract not in CONTRACTS:
        raise InvalidInput(f"contract is {contract!r}: it must be one of {', '.join(CONTRACTS)}")
    check_level(level)
    natural_number(seed, "seed")
    if time_limit is not None:
        _check_seconds(time_limit, "time_limit")
    if arrays not in ("numpy", "torch"):
        raise InvalidInput(f"arrays is {arrays!r}: it must be 'numpy' or 'torch'")
    if arrays == "torch" and importlib.util.find_spec("torch") is None:
        raise InvalidInput("arrays is 'torch', which is not installed: pip install 'specproof[llm]'")


def check_level(level: float) -> None:
    """Refuse what is no false-alarm level of a whole check.

    Raises
    ------
    InvalidInput
        If it is not one number of at least ``LEAST_LEVEL`` and below 1.
    """
    if not LEAST_LEVEL <= finite_number(level, "level") < 1:
        raise InvalidInput(f"level is {level!r}: it must be at least {LEAST_LEVEL:g} and below 1, such as 1e-6")
