"""What a known defect is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from specproof.conformance.defects.witnesses import WITNESSES
from specproof.conformance.problems import Contract, Problem
from specproof.conformance.problems.ladder import degenerate_problems, ladder
from specproof.theory.distribution import Array


@dataclass(frozen=True)
class Defect:
    """A small mutation of a correct sampler, with the exact law of what it emits unless that breaks the contract.

    Attributes
    ----------
    name, title : str
        An identifier, and the mechanism in one line.
    contract : str
        The contract whose signature the sampler has.
    sampler : callable
        The mutation itself, vectorised over trials.
    law : callable or None
        ``law(problem)`` is the emitted law of one trial among others, in the shape that
        :class:`~specproof.conformance.problems.Contract` gives; None for a sampler that returns what that has no
        place for, or raises.
    needs : str
        What an instance must have for the defect to show.
    witness : str
        Name of the problem that it is shown on, see :attr:`problem`; empty for what shows only in the kit's other
        tests.
    threads : tuple of str
        The public reports of it.
    """

    name: str
    title: str
    contract: Contract
    sampler: Callable[..., Any]
    law: Callable[[Any], Array] | None
    needs: str
    witness: str
    threads: tuple[str, ...] = ()

    @property
    def problem(self) -> Problem:
        """The problem that it is shown on: of the ladder, degenerate, or its own; by default the last usual one."""
        problems = {**WITNESSES, **degenerate_problems(self.contract), **ladder(self.contract)}
        usual = (problem for problem in reversed(problems.values()) if not problem.unusual and not problem.required)
        return problems[self.witness] if self.witness else next(usual)
