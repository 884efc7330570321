"""The worst of each compared quantity over many instances: the largest error, or the least of what has a bound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from specproof.simulations.evidence import Evidence, Method, at_least, within
from specproof.theory.distribution import Array

TOLERANCE = 1e-12
"""Laws here are sums of at most a few dozen float64 products: they agree to a few units of 1e-16."""


@dataclass
class _Seen:
    method: Method
    tolerance: float
    error: float = 0.0
    instances: int = 0


class Worst:
    """Collects errors by quantity and turns each quantity's largest into a row that says it should be 0.

    Parameters
    ----------
    **instance
        What describes all instances together, for the rows.

    Examples
    --------
    >>> from specproof.claims import Worst
    >>> worst = Worst(tokens=2)
    >>> for error in (1e-17, 2e-17):
    ...     worst.see("acceptance", error)
    >>> worst.rows()[0].estimate
    2e-17
    """

    def __init__(self, **instance: Any) -> None:
        self._instance = instance
        self._seen: dict[str, _Seen] = {}

    def see(
        self,
        quantity: str,
        error: float | np.float64 | Array,
        *,
        instances: int | np.integer = 1,
        method: Method = Method.IDENTITY,
        tolerance: float = TOLERANCE,
    ) -> None:
        """Take note of a number that should be 0, the worst of ``instances`` instances."""
        seen = self._seen.setdefault(quantity, _Seen(method, tolerance))
        seen.error = float(np.maximum(seen.error, abs(float(error))))  # NaN stays, and is refuted; max() would drop it
        seen.instances += int(instances)

    def rows(self) -> list[Evidence]:
        """Return one row for each quantity."""
        return [
            within(
                f"worst error: {quantity}",
                exact=0.0,
                estimate=seen.error,
                tolerance=seen.tolerance,
                trials=seen.instances,
                method=seen.method,
                **self._instance,
            )
            for quantity, seen in self._seen.items()
        ]


class _Bound(NamedTuple):
    quantity: str
    bound: float
    tolerance: float
    method: Method


class Least:
    """Collects numbers with a lower bound and turns each quantity's smallest into a row.

    Parameters
    ----------
    **instance
        What describes all instances together, for the rows.

    Examples
    --------
    >>> from specproof.claims import Least
    >>> least = Least(tokens=2)
    >>> least.see("share of the optimum", 0.9, bound=0.8)
    >>> least.rows()[0].estimate
    0.9
    """

    def __init__(self, **instance: Any) -> None:
        self._instance = instance
        self._seen: dict[_Bound, tuple[float, int]] = {}

    def see(
        self,
        quantity: str,
        values: float | np.float64 | Array,
        *,
        bound: float = 0.0,
        instances: int | None = None,
        method: Method = Method.IDENTITY,
        tolerance: float = TOLERANCE,
    ) -> None:
        """Take note of numbers that should be at least the bound, by default each of an instance of its own."""
        asked = _Bound(quantity, bound, tolerance, method)
        least, seen = self._seen.get(asked, (np.inf, 0))
        more = np.size(values) if instances is None else instances
        self._seen[asked] = float(np.minimum(least, np.min(values))), seen + more  # NaN stays, and is refuted

    def rows(self) -> list[Evidence]:
        """Return one row for each quantity, and for each bound, tolerance and method where they differ."""
        return [
            at_least(**asked._asdict(), estimate=least, trials=instances, **self._instance)
            for asked, (least, instances) in self._seen.items()
        ]
