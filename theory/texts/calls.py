r"""How many calls of the target a text takes, given the text: calls follow each other as a renewal process.

A call that starts after s tokens and accepts n < L drafts ends with a token of its own, so that the next call starts
after s + n + 1; after L drafts comes the bonus token. Given the text the accepted length of each call depends on
nothing but where it starts, because reach weights do not depend on what follows
(:mod:`specproof.theory.texts.reach_weights`), and what one call draws is independent of what the others did. So with
:math:`S_s` the probability that some call starts after s tokens,

.. math:: S_0 = 1, \qquad S_t = \sum_{n \le L} S_{t-n-1} (v_{t-n-1,n} - v_{t-n-1,n+1}), \quad v_{s,L+1} = 0,

and the expected number of calls given the text is :math:`\sum_{t<T} S_t`. Each token is emitted by one call,
:math:`\sum_{n \le L} S_{t-n} v_{t-n,n} = 1`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from specproof.theory.arrays import as_numbers
from specproof.theory.compiled import compiled
from specproof.theory.display import shown
from specproof.theory.distribution import Array
from specproof.theory.errors import InvalidInput, first_entry
from specproof.theory.integers import natural_number, positive_integer

RISE = 1e-9
"""Reach weights may rise by this much from one level to the next, which is rounding."""


def call_starts(reach: ArrayLike) -> Array:
    """The probability that a call starts after s tokens of the text, given the text, for s = 0..T-1.

    Parameters
    ----------
    reach : array_like, shape (T, L + 1)
        Reach weights, see :func:`~specproof.theory.texts.token_by_token`.

    Raises
    ------
    InvalidInput
        If the weights are of another shape, not in [0, 1], not 1 at no draft, or rise with the number of drafts.

    Examples
    --------
    A first token that is accepted with probability 1/2, and a second one that never is:

    >>> from specproof.theory.texts import call_starts
    >>> call_starts([[1.0, 0.5, 0.0], [1.0, 0.0, 0.0], [1.0, 0.5, 0.0]]).tolist()
    [1.0, 0.5, 1.0]
    """
    return _renewal(as_reach(reach))


def expected_calls(reach: ArrayLike) -> float:
    """The expected number of calls of the target that emit the text, given the text: the sum of :func:`call_starts`.

    The last of them may emit tokens past the end of the text. Parameters and errors are those of :func:`call_starts`.

    Examples
    --------
    >>> from specproof.theory.texts import expected_calls
    >>> expected_calls([[1.0, 0.5, 0.0], [1.0, 0.0, 0.0], [1.0, 0.5, 0.0]])
    2.5
    """
    return float(call_starts(reach).sum())


def tokens_and_calls(reach: ArrayLike, length: int, starts: int | None = None) -> tuple[float, float]:
    r"""Expected tokens and calls of one text: block efficiency is the quotient of their sums over many texts.

    Parameters
    ----------
    reach : array_like, shape (T, N + 1)
        Reach weights for N >= L drafts a call. The weights of fewer drafts a call are its first columns.
    length : int
        L >= 1 drafts a call.
    starts : int, optional
        None if the text ended by itself: its T tokens, and all calls. A number if it was cut: only calls that start
        after s < ``starts`` tokens count, each with all it emits, :math:`1 + \sum_{l \le L} v_l`. With at most
        T - L + 1 starts none of them looks past the cut; several lengths are compared on the same starts, T + 1 less
        the largest length.

    Returns
    -------
    tuple of float
        Tokens, and calls.

    Raises
    ------
    InvalidInput
        As :func:`call_starts`, if the length exceeds N, or the starts are not an integer in 0..T - L + 1.

    Examples
    --------
    >>> from specproof.theory.texts import tokens_and_calls
    >>> reach = [[1.0, 0.5, 0.0], [1.0, 0.0, 0.0], [1.0, 0.5, 0.0]]
    >>> tokens_and_calls(reach, length=2), tokens_and_calls(reach, length=2, starts=2)
    ((3.0, 2.5), (2.0, 1.5))
    """
    weights, levels = as_reach(reach), positive_integer(length, "length")
    tokens, columns = weights.shape
    if levels >= columns:
        raise InvalidInput(
            f"length is {shown(levels)} and reach has weights for {columns - 1} drafts a call: weigh more of them"
        )
    used = weights[:, : levels + 1]
    probability = _renewal(used)
    if starts is None:
        return float(tokens), float(probability.sum())
    counted = natural_number(starts, "starts")
    if counted > max(tokens - levels + 1, 0):
        raise InvalidInput(
            f"starts is {shown(counted)}: a call of {levels} drafts that starts after more than {tokens - levels} of "
            f"{tokens} tokens looks past a cut, so count T - L + 1 starts at most, or give None where the text ended"
        )
    return float(probability[:counted] @ used[:counted].sum(axis=-1)), float(probability[:counted].sum())


def as_reach(reach: ArrayLike) -> Array:
    """Check reach weights of one text, shape (T, L + 1).

    Raises
    ------
    InvalidInput
        As :func:`call_starts`.
    """
    weights = as_numbers(reach, "reach")
    if weights.ndim != 2 or weights.shape[0] == 0 or weights.shape[1] < 2:
        raise InvalidInput(
            f"reach has shape {weights.shape}: it must be (T, L + 1) for T >= 1 tokens and L >= 1 drafts"
        )
    if not (weights[:, 0] == 1.0).all():
        where, index = first_entry(weights[:, :1] != 1.0, "reach")
        raise InvalidInput(f"{where} is {weights[index]}: every call accepts at least 0 drafts, so it must be 1")
    wrong = ~((weights[:, 1:] >= 0.0) & (weights[:, 1:] <= weights[:, :-1] + RISE))
    if wrong.any():
        _, (start, level) = first_entry(wrong, "reach")
        raise InvalidInput(
            f"reach[{start}, {level + 1}] is {weights[start, level + 1]} after {weights[start, level]}: reach weights "
            "are probabilities that never rise with the number of drafts"
        )
    return weights


def _renewal(reach: Array) -> Array:
    starts = np.zeros(reach.shape[0])
    starts[0] = 1.0
    _renew(np.ascontiguousarray(reach), starts)
    return starts


@compiled()
def _renew(reach: Array, starts: Array) -> None:
    tokens, columns = reach.shape
    for start in range(tokens):
        for accepted in range(min(columns, tokens - start - 1)):
            longer = reach[start, accepted + 1] if accepted + 1 < columns else 0.0
            starts[start + accepted + 1] += starts[start] * (reach[start, accepted] - longer)
