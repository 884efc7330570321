"""What a known defect is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from simulations.conformance.problems import Problem
from theory.distribution import Array


@dataclass(frozen=True)
class Defect:
    """A small mutation of a correct sampler, with the exact law of what it emits.

    Attributes
    ----------
    name, title : str
        An identifier, and the mechanism in one line.
    contract : str
        "chain", "multi" or "generate".
    sampler : callable
        Of that contract's signature, vectorised.
    law : callable
        ``law(problem)``: its emitted law, in the shape that :mod:`simulations.conformance.problems` gives for the
        contract.
    needs : str
        What an instance must have for the defect to show.
    witness : str
        The problem of :func:`simulations.conformance.ladder.ladder` that it is shown on; empty for what shows only in
        the kit's other tests.
    threads : tuple of str
        Public reports of it.
    """

    name: str
    title: str
    contract: str
    sampler: Callable[..., Any]
    law: Callable[[Problem], Array]
    needs: str
    witness: str
    threads: tuple[str, ...] = ()
