"""Prices of drafts that are looked up in the text itself: each guess is certain, so that the text alone tells."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from specproof.simulations.traces.parts import Columns
from specproof.theory.distribution import Array
from specproof.theory.texts import by_depth, call_starts, tokens_and_calls


def lookup_reach(
    prompt: Sequence[int], tokens: Sequence[int], longest: int, length: int
) -> tuple[Array, NDArray[np.bool_]]:
    """Give the reach weights of a draft by prompt lookup along a text, and where a call drafts at all.

    A guess is accepted, given that the text goes on as it does, exactly where it is the text's next token. A call that
    starts where nothing matches drafts nothing.

    Parameters
    ----------
    prompt, tokens : sequence of int
        The text that is looked in is the prompt, and of the T tokens those before the guess.
    longest : int
        So many of the last tokens are looked for at most.
    length : int
        Tokens drafted in a call, L.

    Returns
    -------
    reach : array, shape (T, L + 1)
    drafts : bool array, shape (T,)

    Examples
    --------
    >>> reach, drafts = lookup_reach([1, 2], [3, 1, 2, 3], longest=2, length=2)
    >>> drafts.tolist()
    [False, False, True, True]
    >>> reach[2].tolist()
    [1.0, 1.0, 1.0]
    """
    drafts, hits = _looked_up(prompt, tokens, longest)
    reach = by_depth(hits, length)
    reach[~drafts, 1:] = 0.0
    return reach, drafts


def drafted_column(columns: Columns, prompts: Sequence[Sequence[int]], longest: int) -> NDArray[np.bool_]:
    """Tell of each row of a trace whether a draft by prompt lookup drafts anything in a call that starts there.

    Parameters
    ----------
    columns : dict
        Those of a trace, in which the positions of a text ascend at each draft temperature.
    prompts : sequence of sequences of int
        By the numbers of the texts.
    longest : int
    """
    drafted = np.zeros(len(columns["token"]), dtype=bool)
    once = columns["draft_temperature"] == columns["draft_temperature"].min()
    for number in np.unique(columns["text"]):
        own = columns["text"] == number
        found, _ = _looked_up(prompts[number], columns["token"][own & once].tolist(), longest)
        drafted[own] = found[columns["position"][own]]
    return drafted


def _looked_up(prompt: Sequence[int], tokens: Sequence[int], longest: int) -> tuple[NDArray[np.bool_], Array]:
    """Tell at each place of a text whether anything matches there, and whether the guess is the text's token."""
    from specproof.simulations.language_models.ngram import continuation

    drafts, hits = np.zeros(len(tokens), dtype=bool), np.zeros(len(tokens))
    for place, token in enumerate(tokens):
        text = [*prompt, *tokens[:place]]
        found = continuation(text, longest)
        drafts[place] = bool(found)
        hits[place] = (found or text[-1:]) == [token]
    return drafts, hits


def lookup_sums(
    reach: Array, drafts: NDArray[np.bool_], starts: int | None, seconds: Callable[[int], float]
) -> tuple[float, float]:
    """Expected tokens and seconds of the calls that start at the first ``starts`` places of a text, or at all of them.

    Parameters
    ----------
    reach, drafts : arrays
        As :func:`lookup_reach` gives them.
    starts : int or None
    seconds : callable
        Of a call that drafts so many tokens.
    """
    length = reach.shape[1] - 1
    tokens, _ = tokens_and_calls(reach, length, starts)
    spent = np.where(drafts, seconds(length), seconds(0))
    return tokens, float((call_starts(reach) * spent)[:starts].sum())
