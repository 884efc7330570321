"""What a known defect is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from specproof.conformance.defects.witnesses import WITNESSES
from specproof.conformance.problems import Problem
from specproof.conformance.problems.ladder import corners, ladder
from specproof.theory.distribution import Array


@dataclass(frozen=True)
class Defect:
    """A small mutation of a correct sampler, with the exact law of what it emits unless that breaks the contract.

    Attributes
    ----------
    name, title : str
        An identifier, and the mechanism in one line.
    contract : str
        "chain", "multi" or "generate".
    sampler : callable
        Of that contract's signature, vectorised.
    law : callable or None
        ``law(problem)``: its emitted law, in the shape that :mod:`specproof.conformance.problems` gives for the
        contract, of one trial among others; None for a sampler that returns what that has no place for, or raises.
    needs : str
        What an instance must have for the defect to show.
    witness : str
        Name of the problem that it is shown on, see :attr:`problem`; empty for what shows only in the kit's other
        tests.
    threads : tuple of str
        Public reports of it.
    """

    name: str
    title: str
    contract: str
    sampler: Callable[..., Any]
    law: Callable[[Problem], Array] | None
    needs: str
    witness: str
    threads: tuple[str, ...] = ()

    @property
    def problem(self) -> Problem:
        """The witness: of the ladder, of the degenerate problems, or of its own; the ladder's last if it has none."""
        problems = {**WITNESSES, **corners(self.contract), **ladder(self.contract)}
        return problems[self.witness] if self.witness else next(reversed(problems.values()))
