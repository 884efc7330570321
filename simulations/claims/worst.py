"""The worst error of each compared quantity over many instances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from simulations.evidence import Evidence, Method, within
from theory.distribution import Array

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
