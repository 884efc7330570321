"""Means over prompts with intervals that are drawn and not tested."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import scipy  # its parts load when first used

if TYPE_CHECKING:
    import pandas as pd

INTERVAL_LEVEL = 0.05
"""Error level of the intervals."""


def over_prompts(
    values: pd.Series, prompts: pd.Series, lowest: float = -np.inf, highest: float = np.inf
) -> dict[str, float]:
    """Average within each prompt, then over prompts: mean, low, high and level of Student's interval.

    What is seen of one prompt is dependent, so prompts are the independent units; of a single one there is no
    interval, and its ends are NaN. Ends beyond what a mean of values in [lowest, highest] can be are cut off there, by
    which the interval misses nothing.
    """
    means = values.groupby(prompts).mean()
    count, centre = len(means), float(means.mean())
    spread = float(means.sem()) if count > 1 else np.nan
    arm = float(scipy.stats.t.isf(INTERVAL_LEVEL / 2, max(count - 1, 1))) * spread
    low, high = np.maximum(centre - arm, lowest), np.minimum(centre + arm, highest)  # NaN stays
    return {"mean": centre, "low": float(low), "high": float(high), "level": INTERVAL_LEVEL}
