"""A table of the kit as one array with a row for each prefix, or each last token: what whole engines can look up."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from specproof.conformance import Unsupported
from specproof.conformance.problems import next_token_law
from specproof.theory.chain import TabularModel
from specproof.theory.distribution import Array

IMPOSSIBLE = -1e4
"""Logit of a token that cannot be drawn: its probability rounds to 0, and it may be multiplied by 0."""


@dataclass(frozen=True)
class Prefixes:
    """Logits of the next token for each prefix, over one id more than the table has: the id that stands first.

    Attributes
    ----------
    weights : array of int, shape (length,)
        The prefix x_0, ..., x_n has row ``sum_i weights[i] * (x_i + 1)``, or the last where that is beyond it.
    rows : array, shape (number of prefixes + 1, V + 1)
        In the last all tokens of the table are equally likely, as past its horizon.
    """

    weights: NDArray[np.int64]
    rows: Array

    @classmethod
    def of(cls, model: TabularModel, length: int) -> Prefixes:
        """Those of a table, for texts of up to ``length`` ids, the one that stands first included."""
        size, longest = model.num_states, len(model.conditionals) - 1
        digits = np.array([(size + 1) ** place for place in range(longest)], dtype=np.int64)
        beyond = (size + 1) ** longest
        rows = np.full((beyond + 1, size + 1), IMPOSSIBLE)
        rows[beyond, :size] = 0.0
        for count in range(longest + 1):
            prefixes = np.array(list(itertools.product(range(size), repeat=count)), dtype=np.int64)
            with np.errstate(divide="ignore"):
                logits = np.log(next_token_law(model, prefixes))
            rows[(prefixes + 1) @ digits[:count], :size] = np.maximum(logits, IMPOSSIBLE)
        # The id that stands first carries nothing, and any token past the horizon leads to the last row.
        weights = np.concatenate([[0], digits, np.full(max(length - 1 - longest, 0), beyond)])
        return cls(weights.astype(np.int64), rows)


def logits_after(model: TabularModel) -> Array:
    """Logits after each last token, shape (V + 1, V + 1), for tables in which only the last token matters.

    One id more than the table has stands before the prompt; it cannot be drawn.

    Raises
    ------
    Unsupported
        If a law of the table depends on more than the last token, or on the position.
    """
    for index, table in enumerate(model.conditionals[1:], start=1):
        if not np.array_equal(np.broadcast_to(model.conditionals[1], table.shape), table):
            raise Unsupported(f"conditionals[{index}] depends on more than the last token: give a stationary chain")
    size = model.num_states
    logits = np.full((size + 1, size + 1), IMPOSSIBLE)
    with np.errstate(divide="ignore"):
        rows = np.log(np.vstack([*model.conditionals[1:2], model.conditionals[:1]]))
    logits[: len(rows), :size] = np.maximum(rows, IMPOSSIBLE)
    return logits
