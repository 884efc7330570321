"""Compiled draws from tabular models: drafts with the probability rows along their path, and missing tokens."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from specproof.simulations.samplers.inversion import cumulative_shares, quantile
from specproof.theory.chain import TabularModel
from specproof.theory.compiled import compiled
from specproof.theory.distribution import Array

Tokens = NDArray[np.int64]


class Tables(NamedTuple):
    """A model's rows one below the other, those of a position after those of the position before."""

    rows: Array
    """Row ``starts[i] + number`` is the law of token i+1 after the prefix of that number; shape (rows, V)."""
    cumulative: Array
    """The same cumulated for drawing."""
    starts: Tokens
    """Shape (T,)."""


class DrawnTrees(NamedTuple):
    """Every tree that can be drawn, C of them, laid out for drawing."""

    tokens: Tokens
    """Shape (C, N)."""
    shares: Array
    """Their chances, cumulated, shape (1, C)."""
    draft: Array
    """The draft's laws after each node, shape (C, N, V)."""
    target: Array
    """The target's laws after each node, shape (C, N, V)."""


def tables(model: TabularModel) -> Tables:
    """Lay out a model."""
    parts = [np.reshape(table, (-1, model.num_states)) for table in model.conditionals]
    rows = np.concatenate(parts)
    starts = np.cumsum([0, *(len(part) for part in parts[:-1])])
    return Tables(rows, cumulative_shares(rows), starts.astype(np.int64))


@compiled()
def draw_path(
    draft: Tables,
    target: Tables,
    places: Tokens,
    draft_probs: Array,
    target_probs: Array,
    tokens: Tokens,
    rng: np.random.Generator,
) -> None:
    """Draw drafts into the rows ``places`` of tokens (n, L), with both models' rows (n, L, V) and (n, L+1, V)."""
    length, size = tokens.shape[1], draft.rows.shape[1]
    for place in places:
        prefix = 0
        for position in range(length + 1):
            row = target.starts[position] + prefix  # the draft's tables begin in the same places
            for token in range(size):
                target_probs[place, position, token] = target.rows[row, token]
            if position < length:
                for token in range(size):
                    draft_probs[place, position, token] = draft.rows[row, token]
                drawn = quantile(draft.cumulative[row], rng.random())
                tokens[place, position] = drawn
                prefix = prefix * size + drawn


@compiled()
def complete_path(target: Tables, tokens: Tokens, numbers: Tokens, rng: np.random.Generator) -> None:
    """Number each row of tokens (n, T) among all sequences, what is missing (below 0) drawn from the model."""
    size = target.rows.shape[1]
    for trial in range(tokens.shape[0]):
        number = 0
        for position in range(tokens.shape[1]):
            token = tokens[trial, position]
            if token < 0:
                token = quantile(target.cumulative[target.starts[position] + number], rng.random())
            number = number * size + token
        numbers[trial] = number


@compiled()
def are_well_formed(tokens: Tokens, drafts: Tokens) -> bool:
    """Whether each row of tokens (n, L+1) begins with a token and goes on, until it ends, after drafts (n, L) only."""
    for trial in range(tokens.shape[0]):
        if tokens[trial, 0] < 0:
            return False
        for position in range(drafts.shape[1]):
            if tokens[trial, position + 1] >= 0 and tokens[trial, position] != drafts[trial, position]:
                return False
    return True


@compiled()
def deal(rows: NDArray[Any], drawn: Tokens, places: Tokens, dealt: NDArray[Any]) -> None:
    """Copy the drawn ones of some rows (C, N, V) into the rows ``places`` of another array (n, N, V)."""
    for index in range(places.size):
        source, place = drawn[index], places[index]
        for node in range(rows.shape[1]):
            for token in range(rows.shape[2]):
                dealt[place, node, token] = rows[source, node, token]


@compiled()
def steps_down(tokens: Tokens, nodes: Tokens, parents: Tokens) -> Tokens:
    """Count the leading tokens of each row (n, D+1) that go down a tree of these tokens and parents (n, N).

    Of equal siblings all are followed.
    """
    steps = np.zeros(tokens.shape[0], dtype=np.int64)
    here = np.empty(nodes.shape[1], dtype=np.bool_)
    for trial in range(tokens.shape[0]):
        here[:] = False
        here[0] = going = True
        while going and steps[trial] < tokens.shape[1]:
            token, going = tokens[trial, steps[trial]], False
            for node in range(nodes.shape[1] - 1, 0, -1):  # parents come first: theirs are still of the step before
                here[node] = here[parents[trial, node]] and nodes[trial, node] == token
                going = going or here[node]
            here[0] = False
            steps[trial] += going
    return steps
