"""What tools print in place of reach weights: the product of the marginal acceptance rates."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from specproof.theory.display import shown
from specproof.theory.distribution import Array
from specproof.theory.errors import InvalidInput
from specproof.theory.integers import positive_integer
from specproof.theory.texts.reach_weights import as_chances


def products_of_marginals(chances: ArrayLike, length: int) -> Array:
    r"""The product over depths of the mean chance at each, :math:`\prod_{i \le l} E[c_i]`, for l = 0..L.

    It is *not* the probability to accept l drafts, :math:`E[\prod_{i \le l} c_i]`, the mean of
    :func:`~specproof.theory.texts.by_depth`, unless the chances of neighbouring tokens are independent: it is too low
    where easy tokens come in runs, and too high where they come by turns. This function serves to show by how much.

    Parameters
    ----------
    chances : array_like, shape (T,) or (L, T)
        As of :func:`~specproof.theory.texts.by_depth`; for one draft verified token by token, min(1, p/q) of each
        token.
    length : int
        1 <= L <= T. Means are over the T - L + 1 starts of a call that lies in the text.

    Returns
    -------
    array, shape (L + 1,)

    Raises
    ------
    InvalidInput
        As :func:`~specproof.theory.texts.by_depth`, or if the length exceeds the text.

    Examples
    --------
    Easy and hard tokens in runs: two in a row are accepted at half of the starts, not at a third of them.

    >>> from specproof.theory.texts import by_depth, products_of_marginals
    >>> chances = [1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0]
    >>> products_of_marginals(chances, length=2).round(3).tolist()
    [1.0, 0.667, 0.333]
    >>> by_depth(chances, length=2)[:6].mean(axis=0).round(3).tolist()
    [1.0, 0.667, 0.5]
    """
    levels = positive_integer(length, "length")
    rows = as_chances(chances, levels)
    starts = rows.shape[-1] - levels + 1
    if starts < 1:
        raise InvalidInput(
            f"length is {shown(levels)} and chances are of {rows.shape[-1]} tokens: ask for fewer drafts a call"
        )
    rates = [(rows if rows.ndim == 1 else rows[level])[level : level + starts].mean() for level in range(levels)]
    return np.concatenate(([1.0], np.cumprod(rates)))
