r"""Intervals that hold for all pairs of configurations at once, whichever of them the data singles out.

The best of many configurations is chosen on the text that it is then compared on, and chance favours it: of intervals
that each hold with probability 95%, those against the best seen do not. Here the error level is that of all statements
together. With :math:`x_i` the pseudo-values of the logarithm of configuration i's speed, one for each of n prompts, a
pair has Student's statistic

.. math:: t_{ij} = \sqrt n \, \frac{\bar x_i - \bar x_j - (\theta_i - \theta_j)}{s_{ij}},

with :math:`s_{ij}` the standard deviation of :math:`x_i - x_j`. The critical value is the upper quantile of the largest
:math:`|t_{ij}|` over samples of n normal vectors whose covariance is that of the pseudo-values (the "max-t"
[1]_). For one pair it is Student's, but for the number of samples.

References
----------
.. [1] Romano, J. P. and Wolf, M. (2005). Exact and approximate stepdown methods for multiple hypothesis testing.
   Journal of the American Statistical Association, 100(469), 94-108.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from specproof.simulations.traces.pricing import LEVEL, Interval
from specproof.theory.distribution import Array
from specproof.theory.errors import InvalidInput

SAMPLES, SEED = 2000, 0
"""The quantile is that of so many samples, drawn from a generator of this seed."""

EQUAL = 1e-12
"""A pair whose difference has no more than this share of the variance of its parts differs by rounding alone."""

ENTRIES = 2**18
"""Samples are drawn together as long as their tables of pairs have no more entries than this."""


@dataclass(frozen=True, eq=False)
class Simultaneous:
    """Configurations whose pairs are compared all at once.

    Attributes
    ----------
    values : array, shape (M, n)
        Pseudo-values of the logarithms of M quantities, over n independent units.
    critical : float
        The intervals are so many standard errors wide to either side; NaN for one unit or values that are not finite.
    """

    values: Array
    critical: float

    def ratio(self, index: int, reference: int) -> Interval:
        """Give quantity ``index`` over quantity ``reference``; the ends are NaN where there is no interval."""
        difference = self.values[index] - self.values[reference]
        centre = float(difference.mean())
        if np.isnan(self.critical):
            return Interval(float(np.exp(centre)), np.nan, np.nan)
        arm = self.critical * float(difference.std(ddof=1)) / difference.size**0.5
        return Interval(*np.exp([centre, centre - arm, centre + arm]).tolist())


def simultaneous(values: Array, level: float = LEVEL, samples: int = SAMPLES, seed: int = SEED) -> Simultaneous:
    """Find the critical value of all pairs together.

    Parameters
    ----------
    values : array, shape (M, n)
    level : float
        With about this probability some interval misses.
    samples : int
        So many samples of n vectors are drawn, of :math:`O(M^2 n)` operations each.
    seed : int
        Of the generator that they are drawn from.

    Raises
    ------
    InvalidInput
        If the values are no table of at least one row and column.

    Examples
    --------
    >>> import numpy as np
    >>> from specproof.simulations.traces.simultaneous import simultaneous
    >>> values = np.random.default_rng(1).normal(size=(12, 20))
    >>> one_pair, all_pairs = (simultaneous(rows).critical for rows in (values[:2], values))
    >>> 1.9 < one_pair < 2.3 < 3.2 < all_pairs < 4.5
    True
    """
    if values.ndim != 2 or not values.size:
        raise InvalidInput(f"values has shape {values.shape}: give a row a configuration and a column a prompt")
    if values.shape[1] == 1 or not np.all(np.isfinite(values)):
        return Simultaneous(values, np.nan)
    centred = values - values.mean(axis=1, keepdims=True)
    separate, together = _variances(centred)
    compared = separate > EQUAL * together
    if not compared.any():
        return Simultaneous(values, 0.0)
    rng, chunk = np.random.default_rng(seed), max(ENTRIES // separate.size, 1)
    sizes = [min(chunk, samples - done) for done in range(0, samples, chunk)]
    largest = np.concatenate([_largest(centred, compared, size, rng) for size in sizes])
    return Simultaneous(values, float(np.quantile(largest, 1.0 - level)))


def _variances(centred: Array) -> tuple[Array, Array]:
    """Variances of all differences of rows, and of their sums if they were independent; shape (..., M, M) each."""
    covariance = centred @ centred.swapaxes(-1, -2) / (centred.shape[-1] - 1)
    own = np.diagonal(covariance, axis1=-2, axis2=-1)
    together = own[..., :, np.newaxis] + own[..., np.newaxis, :]
    return together - 2.0 * covariance, together


def _largest(centred: Array, compared: NDArray[np.bool_], samples: int, rng: np.random.Generator) -> Array:
    """The largest of Student's statistics in each sample, whose covariance is that of these rows."""
    count = centred.shape[1]
    drawn = centred @ rng.standard_normal((samples, count, count)) / (count - 1) ** 0.5
    means = drawn.mean(axis=-1, keepdims=True)
    variances = np.where(compared, _variances(drawn - means)[0], np.inf)
    squares = count * (means - means.swapaxes(-1, -2)) ** 2 / variances
    largest: Array = np.sqrt(squares.max(axis=(-2, -1)))
    return largest
