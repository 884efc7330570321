"""The law of agreement at one token of each row, for every number of drafts: what pricing along a text asks for."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from specproof.theory.arrays import in_one_layout
from specproof.theory.display import shown
from specproof.theory.distribution import Array, as_pair
from specproof.theory.drafts import one_num_drafts
from specproof.theory.errors import InvalidInput, first_entry
from specproof.theory.integers import refuse_large_array
from specproof.theory.verifiers.registry import Verifier


def agreement_at(verifier: Verifier, draft: ArrayLike, target: ArrayLike, tokens: ArrayLike, num_drafts: int) -> Array:
    """The probability that a given token is the accepted one and that j of k drafts carry it, for all k and j up to K.

    It is ``verifier.agreement`` at one token of each row. Verifiers that state ``agreement_at`` take O(V) for each
    number of drafts and no memory beyond the laws; of others, the whole law is made, a row at a time.

    Parameters
    ----------
    verifier : Verifier
        An entry of ``VERIFIERS``, say.
    draft, target : array_like, shape (..., V)
        Leading axes broadcast.
    tokens : array_like of int, shape (...)
        One token for each row of laws, counted from 0; broadcast to the leading axes.
    num_drafts : int
        K >= 1, the largest number of drafts.

    Returns
    -------
    array, shape (..., K, K)
        Entry [..., k-1, j-1] belongs to k i.i.d. drafts, of which exactly j are the token; it is 0 for j > k.

    Raises
    ------
    InvalidInput
        If the verifier is none, a law is not a distribution, the two do not match, a token is not an integer in
        0..V-1, their shape does not fit, or K is not an integer >= 1 or so large that no array holds the result.

    Examples
    --------
    >>> from specproof import VERIFIERS, agreement_at
    >>> agreement_at(VERIFIERS["kseq"], [0.5, 0.5], [0.5, 0.5], 1, 2).tolist()
    [[0.5, 0.0], [0.25, 0.25]]
    """
    if not isinstance(verifier, Verifier):
        raise InvalidInput(f"verifier is {shown(verifier)}: give a Verifier, such as an entry of VERIFIERS")
    draft_rows, target_rows = as_pair(draft, target)
    count = one_num_drafts(num_drafts)
    leading, vocabulary = draft_rows.shape[:-1], draft_rows.shape[-1]
    refuse_large_array("num_drafts", count, (*leading, count, count))
    proposal, law = (in_one_layout(rows.reshape(-1, vocabulary), np.float64) for rows in (draft_rows, target_rows))
    chosen = in_one_layout(_as_tokens(tokens, leading, vocabulary).reshape(-1), np.int64)
    function = verifier.agreement_at or partial(_row_by_row, verifier)
    return function(proposal, law, chosen, count).reshape(*leading, count, count)


def _row_by_row(verifier: Verifier, draft: Array, target: Array, tokens: NDArray[np.int64], num_drafts: int) -> Array:
    joint = np.zeros((tokens.size, num_drafts, num_drafts))
    for row, token in enumerate(tokens):
        for count in range(1, num_drafts + 1):
            joint[row, count - 1, :count] = verifier.agreement(draft[row], target[row], count)[token]
    return joint


def _as_tokens(tokens: ArrayLike, leading: tuple[int, ...], vocabulary: int) -> NDArray[np.int64]:
    """Check one token for each row."""
    if type(tokens) is int and not leading and 0 <= tokens < vocabulary:  # as for one row, mostly
        return np.array(tokens)
    try:
        chosen = np.asarray(tokens)
        if chosen.dtype.kind not in "iu":
            raise TypeError(f"dtype {chosen.dtype}")
        rows = np.broadcast_to(chosen, leading)
    except (TypeError, ValueError) as error:
        raise InvalidInput(
            f"tokens is not one integer for each row of leading shape {leading} ({error}): give every row its token"
        ) from None
    bad = (rows < 0) | (rows >= vocabulary)
    if bad.any():
        where, index = first_entry(bad, "tokens")
        raise InvalidInput(f"{where} = {rows[index]} is outside the vocabulary: tokens are 0..{vocabulary - 1}")
    return rows.astype(np.int64)
