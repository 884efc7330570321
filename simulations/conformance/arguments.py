"""What a check can be asked for, and what it may spend."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from numbers import Real

import numpy as np

from simulations.conformance.problems import CONTRACTS
from theory.errors import InvalidInput
from theory.integers import positive_integer

LEVEL = 1e-6
"""The chance that the check of a lossless sampler alarms."""


def _check_seconds(value: float, name: str) -> None:
    if not (isinstance(value, Real) and 0 < value < float("inf")):
        raise InvalidInput(f"{name} is {value!r}: it must be a positive number of seconds")


@dataclass(frozen=True)
class Budget:
    """How much a check spends.

    Attributes
    ----------
    first : int
        Trials on each problem in the first round; each further round doubles them.
    rounds : int
    small : int
        Calls with one trial; there are a quarter as many with two, with three and with up to some hundred.
    corner : int
        Trials on each degenerate problem.
    seconds : float
        Time limit of the check; a single call may take half of it.
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


DEFAULT = Budget(first=1000, rounds=7, small=2000, corner=1000, seconds=10.0)
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
    if not (isinstance(level, Real) and 0 < level < 1):
        raise InvalidInput(f"level is {level!r}: it must lie strictly between 0 and 1, such as 1e-6")
    if not isinstance(seed, int | np.integer) or seed < 0:
        raise InvalidInput(f"seed is {seed!r}: it must be an integer >= 0")
    if time_limit is not None:
        _check_seconds(time_limit, "time_limit")
    if arrays not in ("numpy", "torch"):
        raise InvalidInput(f"arrays is {arrays!r}: it must be 'numpy' or 'torch'")
    if arrays == "torch" and importlib.util.find_spec("torch") is None:
        raise InvalidInput("arrays is 'torch', which is not installed: pip install 'specproof[llm]'")
