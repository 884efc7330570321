"""Whose verifiers are checked, by which adapter, and what reading their code said about a finding.

What is said of a subject is in ``audit/subjects/NAME.toml``.
"""

from __future__ import annotations

import importlib
import tomllib
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from audit.environment import is_made
from audit.package import is_fetched
from specproof.conformance.arguments import CI, DEFAULT, Budget
from specproof.conformance.problems.ladder import ladder
from specproof.conformance.subject.loading import load_function
from specproof.conformance.subject.sampler_under_test import Sampler
from specproof.simulations.language_models.wheel import Wheel
from specproof.theory.errors import InvalidInput

FOLDER = Path(__file__).with_name("subjects")
"""Where the subjects are described, one file each."""


@dataclass(frozen=True)
class Subject:
    """One function of one package.

    Attributes
    ----------
    name : str
        By which it is asked for.
    adapter : str
        ``MODULE:FUNCTION`` below ``audit.adapters``.
    contract : str
        The signature that it is checked for.
    calls : str
        What of the package is called.
    assumes : str
        What the adapter adds or takes for granted, a noun.
    cause : str
        Where a finding was confirmed in the package's code: the mechanism, and what was done to falsify it.
    slow : bool
        Whether it is checked with few trials.
    rounds : int
        In how many rounds, where it is slow; each doubles the trials of all before.
    before : str
        The subject that is the same of the release before a fix.
    fix : str
        What was mended between the two, a sentence.
    """

    name: str
    adapter: str
    contract: str
    calls: str
    assumes: str
    cause: str = ""
    slow: bool = False
    rounds: int = CI.rounds
    before: str = ""
    fix: str = ""

    @property
    def function(self) -> str:
        """What ``specproof check`` takes."""
        return f"audit.adapters.{self.adapter}"

    @property
    def distribution(self) -> str:
        """The package's name on the index."""
        return self.wheels[0].distribution if self.wheels else "transformers"

    @property
    def version(self) -> str:
        """The version that is checked: the pinned one, or the one that is installed."""
        return self.wheels[0].version if self.wheels else metadata.version("transformers")

    @property
    def wheels(self) -> tuple[Wheel, ...]:
        """What is fetched for it: the function's own or its module's; nothing where we require the package."""
        function = getattr(self._module, self.function.rpartition(":")[2])
        wheels: tuple[Wheel, ...] = getattr(function, "wheels", getattr(self._module, "WHEELS", ()))
        return wheels

    @property
    def _module(self) -> ModuleType:
        return importlib.import_module(self.function.partition(":")[0])

    @property
    def budget(self) -> Budget:
        """What a check spends: trials and not seconds, for the verdict not to depend on the machine."""
        return replace(CI, rounds=self.rounds) if self.slow else replace(DEFAULT, rounds=7, seconds=CI.seconds)

    @property
    def is_here(self) -> bool:
        """Whether it can be checked without a download, or an environment to be made."""
        wanted = getattr(self._module, "ENVIRONMENT", None)
        return is_fetched(*self.wheels) and (wanted is None or is_made(wanted))

    def ready(self) -> Sampler:
        """The adapter's function, called once, so that fetching and importing take no time from a check."""
        function, rng = load_function(self.function), np.random.default_rng(0)
        problem = next(iter(ladder(self.contract).values()))
        function(*problem.positional(problem.arguments(1, rng)), rng)
        return function


def _read(path: Path) -> Subject:
    """Prose may be broken into lines where it likes."""
    fields: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    said: dict[str, Any] = {
        key: " ".join(value.split()) if isinstance(value, str) else value for key, value in fields.items()
    }
    return Subject(path.stem, **said)


SUBJECTS = tuple(_read(path) for path in sorted(FOLDER.glob("*.toml")))
"""All of them, by name."""


def find(name: str) -> Subject:
    """Look a subject up.

    Raises
    ------
    InvalidInput
        If there is none of that name.
    """
    by_name = {subject.name: subject for subject in SUBJECTS}
    if name not in by_name:
        raise InvalidInput(f"{name!r} is no subject: choose from {', '.join(by_name)}")
    return by_name[name]
