"""One repair: what is undone, on which subject, and how a check of it ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch

from audit.registry import Subject, find
from specproof.conformance import Budget, ChainProblem, Verdict, check_sampler
from specproof.conformance.arguments import LEVEL
from specproof.conformance.subject.sampler_under_test import Sampler
from specproof.simulations.statistics import check_law

TRIALS = 400_000
"""Of one problem."""


class Outcome(NamedTuple):
    """How a repair ended."""

    verdict: Verdict
    evidence: str


@dataclass(frozen=True)
class Repair:
    """One experiment on a subject of :data:`audit.registry.SUBJECTS`, in its contract.

    Attributes
    ----------
    name : str
        Of the subject.
    what : str
        What was undone.
    function : callable
    problem : ChainProblem, optional
        One problem to run it on instead of the kit's ladder.
    """

    name: str
    what: str
    function: Sampler
    problem: ChainProblem | None = None

    @property
    def subject(self) -> Subject:
        """Whose function it is."""
        return find(self.name)

    def outcome(self, budget: Budget) -> Outcome:
        """Of a check, or of ``TRIALS`` trials of the one problem against its exact law."""
        self.subject.ready()
        if self.problem is None:
            report = check_sampler(self.function, self.subject.contract, budget=budget)
            return Outcome(report.verdict, report.reason)
        rng = np.random.default_rng(0)
        emitted = self.function(*self.problem.inputs(TRIALS, rng), rng)
        result = check_law(self.problem.complete(emitted, rng), self.problem.target_law.reshape(-1), LEVEL)
        where = f"on {self.problem.length} drafts of {self.problem.num_tokens} tokens, in {TRIALS:,} trials"
        seen = f"a text of probability {result.exact:.4f} has one in {result.low:.4f} to {result.high:.4f}"
        return Outcome(Verdict.BIASED if result.is_refuted else Verdict.LOSSLESS, f"{where}: {seen}")


class Torch:
    """torch, but for the functions that are given: to be put in the place of the ``torch`` of a package's module."""

    def __init__(self, **functions: Any) -> None:
        self.__dict__.update(functions)

    def __getattr__(self, name: str) -> Any:
        return getattr(torch, name)
