"""Tabular models as the models of a decoding loop."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from specproof.conformance.problems.drawing import Tokens
from specproof.theory.chain import TabularModel
from specproof.theory.distribution import Array
from specproof.theory.errors import InvalidInput, first_entry


def next_token_law(model: TabularModel, tokens: ArrayLike) -> Array:
    """Give the law of the next token after each row of tokens: the forward pass of a tabular model.

    Past the model's horizon all tokens are equally likely: a loop may draft as far ahead as it likes, and nothing that
    it emits within the horizon depends on what is drafted there.

    Parameters
    ----------
    model : TabularModel
    tokens : array_like of int, shape (n, m)
        One text a row, in tokens 0..V-1; m may be 0.

    Returns
    -------
    array, shape (n, V)

    Raises
    ------
    InvalidInput
        If the model is no table, or the tokens are not rows of integers in 0..V-1: what pads a text is no token.

    Examples
    --------
    >>> model = TabularModel([[0.5, 0.5], [[0.25, 0.75], [1.0, 0.0]]])
    >>> next_token_law(model, [[0], [1]])
    array([[0.25, 0.75],
           [1.  , 0.  ]])
    """
    check_table(model, "model")
    size, rows = model.num_states, _as_tokens(tokens, model.num_states)
    length = rows.shape[1]
    if length >= model.horizon:
        return np.full((len(rows), size), 1.0 / size)
    if length == 0:
        return np.tile(model.conditionals[0], (len(rows), 1))
    # By number, several times as fast as an index for each axis.
    numbers = np.ravel_multi_index(tuple(rows.T), (size,) * length)
    laws: Array = model.conditionals[length].reshape(-1, size).take(numbers, axis=0)
    return laws


def check_table(model: TabularModel, name: str) -> None:
    """Refuse a model that is no table.

    Raises
    ------
    InvalidInput
    """
    if not isinstance(model, TabularModel):
        raise InvalidInput(
            f"{name} is a {type(model).__name__}: give a TabularModel, such as MarkovChain.tabulate() makes"
        )


def check_models(draft: TabularModel, target: TabularModel) -> None:
    """Refuse models that are no tables over one vocabulary.

    Raises
    ------
    InvalidInput
    """
    check_table(draft, "draft")
    check_table(target, "target")
    if draft.num_states != target.num_states:
        raise InvalidInput(
            f"draft has {draft.num_states} tokens and target {target.num_states}: both must be over one vocabulary"
        )


def _as_tokens(tokens: ArrayLike, num_tokens: int) -> Tokens:
    try:
        array = np.asarray(tokens)
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"tokens is not an array ({error}): give texts of one length, shape (n, m)") from None
    if array.ndim != 2:
        raise InvalidInput(f"tokens has shape {array.shape}: give one text a row, shape (n, m)")
    if array.size and array.dtype.kind not in "iu":  # what is empty, as [[]], has no dtype of its own
        raise InvalidInput(f"tokens has dtype {array.dtype}: token ids are integers")
    rows: Tokens = array.astype(np.int64, copy=False)
    # Loops call this for every token: unsigned, what is negative is too large, and one pass is enough.
    if rows.view(np.uint64).max(initial=0) >= num_tokens:
        where, index = first_entry((rows < 0) | (rows >= num_tokens), "tokens")
        raise InvalidInput(f"{where} is {array[index]}: tokens are 0..{num_tokens - 1}, and what pads a text is none")
    return rows
