"""The test of calls by what was accepted: levels accept as often as their exact chances say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from specproof.simulations.evidence import Evidence, Method, from_check
from specproof.simulations.statistics import check_drift

if TYPE_CHECKING:
    import pandas as pd

RESOLUTION = 0.15
"""A rate of accepted levels off by this much must be within reach, or the test says nothing."""


def level_rate(levels: pd.DataFrame, given: str, mode: str, method: Method, level: float, pair: str) -> Evidence:
    """Hold the rate of levels that accept against their mean exact chance.

    Parameters
    ----------
    levels : DataFrame
        A row for each level that a call came to, with columns ``mode``, ``accepted`` and ``chance``.
    given : str
        What the chances are conditional on.
    mode : str
        The rows that are tested.
    method : Method
    level : float
        The probability of a false alarm.
    pair : str
        The name of the pair of models.
    """
    part = levels[levels["mode"] == mode]
    check = check_drift(part["accepted"].to_numpy(dtype=bool), part["chance"].to_numpy(), level)
    quantity = f"rate of levels that accept, against the mean exact chance given the {given}"
    return from_check(quantity, check, level=level, resolution=RESOLUTION, method=method, mode=mode, pair=pair)
