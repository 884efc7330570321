"""Autoregressive models over a finite horizon: Markov chains and full-history tables."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from specproof.theory.arrays import MOST_AXES
from specproof.theory.display import html_record, one_line, shown
from specproof.theory.distribution import Array, as_distribution, dirichlet
from specproof.theory.errors import InvalidInput
from specproof.theory.integers import positive_integer, refuse_large_array

LARGEST_TABLE = 2**26
"""A full-history table may have at most this many entries (512 MiB of float64)."""


@dataclass(frozen=True, eq=False, repr=False)
class MarkovChain:
    """A Markov chain x_1, ..., x_T over V states.

    Parameters
    ----------
    initial : array_like, shape (V,)
        Law of x_1.
    transitions : array_like, shape (V, V) or (T-1, V, V)
        Rows are the law of the next state given the current one. One matrix makes the chain stationary in time and
        needs ``horizon``; a stack has matrix n-2 for the step from x_{n-1} to x_n.
    horizon : int, optional
        T >= 1. With a stack it may be left out, and must otherwise be its length plus one.

    Raises
    ------
    InvalidInput
        If a row is not a distribution, sizes differ, or the horizon is missing or contradicts the stack.

    Examples
    --------
    >>> from specproof import MarkovChain
    >>> MarkovChain([0.5, 0.5], [[0.75, 0.25], [0.5, 0.5]], horizon=3).tabulate().joint().shape
    (2, 2, 2)
    """

    initial: Array
    transitions: Array
    horizon: int

    __repr__ = one_line
    _repr_html_ = html_record

    def __init__(self, initial: ArrayLike, transitions: ArrayLike, horizon: int | None = None) -> None:
        first = as_distribution(initial, "initial")
        rows = as_distribution(transitions, "transitions")
        if first.ndim != 1:
            raise InvalidInput(f"initial has shape {first.shape}: it must be one distribution of shape (V,)")
        if rows.ndim not in (2, 3) or rows.shape[-2:] != (first.size, first.size):
            raise InvalidInput(
                f"transitions has shape {rows.shape}: with {first.size} initial states it must be "
                f"({first.size}, {first.size}) or (T-1, {first.size}, {first.size})"
            )
        object.__setattr__(self, "initial", first)
        object.__setattr__(self, "transitions", rows)
        object.__setattr__(self, "horizon", _horizon(rows, horizon))

    @property
    def num_states(self) -> int:
        """V, the size of the vocabulary."""
        return int(self.initial.size)

    def transition(self, position: int) -> Array:
        """Rows q_n(. | x_{n-1}) for position n = 2..T, shape (V, V)."""
        return self.transitions if self.transitions.ndim == 2 else self.transitions[position - 2]

    def tabulate(self) -> TabularModel:
        """The same law as a full-history table.

        Raises
        ------
        InvalidInput
            If the table would exceed ``LARGEST_TABLE`` entries.
        """
        size = self.num_states
        _refuse_large(size, self.horizon)
        tables = [self.initial]
        for position in range(2, self.horizon + 1):
            tables.append(np.broadcast_to(self.transition(position), (size,) * position))
        return TabularModel(tables)


@dataclass(frozen=True, eq=False, repr=False)
class TabularModel:
    """Any law of x_1, ..., x_T over V tokens, by its conditionals given the whole history.

    Parameters
    ----------
    conditionals : sequence of T array_likes
        Entry n-1 has n axes of length V: the law of x_n, on the last axis, given x_1, ..., x_{n-1}.

    Raises
    ------
    InvalidInput
        If there are none, a shape is wrong, a row is not a distribution or a table exceeds ``LARGEST_TABLE``.

    Examples
    --------
    >>> from specproof import TabularModel
    >>> model = TabularModel([[0.5, 0.5], [[1.0, 0.0], [0.25, 0.75]]])
    >>> model.horizon, model.joint().tolist()
    (2, [[0.5, 0.0], [0.125, 0.375]])
    """

    conditionals: tuple[Array, ...]

    __repr__ = one_line
    _repr_html_ = html_record

    def __init__(self, conditionals: Sequence[ArrayLike]) -> None:
        if not isinstance(conditionals, Sequence) and not (isinstance(conditionals, np.ndarray) and conditionals.ndim):
            raise InvalidInput(f"conditionals is a {type(conditionals).__name__}: give a list of T tables")
        if len(conditionals) == 0:
            raise InvalidInput("conditionals is empty: a model has a horizon of at least 1")
        first = _shape(conditionals[0], 0)
        if len(first) != 1 or first[0] == 0:
            raise InvalidInput(f"conditionals[0] has shape {first}: it must be one distribution of shape (V,)")
        tables = []
        for index, table in enumerate(conditionals):
            shape, expected = _shape(table, index), first * (index + 1)
            if shape != expected:
                raise InvalidInput(f"conditionals[{index}] has shape {shape}: it must be {expected}")
            _refuse_large(first[0], index + 1)
            tables.append(as_distribution(table, f"conditionals[{index}]"))
        object.__setattr__(self, "conditionals", tuple(tables))

    @property
    def num_states(self) -> int:
        """V, the size of the vocabulary."""
        return int(self.conditionals[0].size)

    @property
    def horizon(self) -> int:
        """T, the number of positions."""
        return len(self.conditionals)

    def joint(self) -> Array:
        """The law of the whole sequence, shape (V,) * T."""
        law = self.conditionals[0]
        for table in self.conditionals[1:]:
            law = law[..., np.newaxis] * table
        return law


Chain = MarkovChain | TabularModel


def check_model(model: object, name: str) -> None:
    """Refuse what is no model.

    Raises
    ------
    InvalidInput
        Naming the argument and its type.
    """
    if not isinstance(model, Chain):
        raise InvalidInput(f"{name} is a {type(model).__name__}: give a MarkovChain or a TabularModel")


def check_same_size(draft: Chain, target: Chain, kind: type[MarkovChain] | type[TabularModel] | None = None) -> None:
    """Refuse what is no model, and two of different kind, vocabulary or horizon, or of another kind than ``kind``.

    Raises
    ------
    InvalidInput
        Naming what differs.
    """
    check_model(draft, "draft")
    check_model(target, "target")
    if type(draft) is not type(target):
        raise InvalidInput(
            f"draft is a {type(draft).__name__} and target a {type(target).__name__}: "
            "give both as one kind (MarkovChain.tabulate() turns a chain into a table)"
        )
    if kind is not None and not isinstance(draft, kind):
        raise InvalidInput(f"draft and target are of kind {type(draft).__name__}: this takes a {kind.__name__} each")
    for what in ("num_states", "horizon"):
        ours, theirs = getattr(draft, what), getattr(target, what)
        if ours != theirs:
            raise InvalidInput(f"draft has {what} {ours} and target {theirs}: both must be over the same sequences")


def random_markov_pair(
    num_states: int, horizon: int, rng: np.random.Generator, *, concentration: float = 1.0, stationary: bool = False
) -> tuple[MarkovChain, MarkovChain]:
    """An independent draft and target chain with Dirichlet rows; non-stationary unless asked otherwise.

    Raises
    ------
    InvalidInput
        If the states or the horizon are not an integer >= 1, or the concentration not positive and finite.

    Examples
    --------
    >>> import numpy as np
    >>> from specproof import random_markov_pair
    >>> draft, target = random_markov_pair(3, 5, np.random.default_rng(0))
    >>> draft.transitions.shape
    (4, 3, 3)
    """
    return (
        _random_markov(num_states, horizon, rng, concentration, stationary),
        _random_markov(num_states, horizon, rng, concentration, stationary),
    )


def random_tabular_pair(
    num_states: int, horizon: int, rng: np.random.Generator, *, concentration: float = 1.0
) -> tuple[TabularModel, TabularModel]:
    """An independent draft and target full-history model with Dirichlet rows.

    Raises
    ------
    InvalidInput
        As :func:`random_markov_pair`, or if a table exceeds ``LARGEST_TABLE``.

    Examples
    --------
    >>> import numpy as np
    >>> from specproof import random_tabular_pair
    >>> draft, target = random_tabular_pair(2, 3, np.random.default_rng(0))
    >>> [table.shape for table in target.conditionals]
    [(2,), (2, 2), (2, 2, 2)]
    """
    size, steps = positive_integer(num_states, "num_states"), positive_integer(horizon, "horizon")
    _refuse_large(size, steps)

    def model() -> TabularModel:
        return TabularModel([dirichlet(size, concentration, rng, (size,) * index) for index in range(steps)])

    return model(), model()


def _random_markov(
    num_states: int, horizon: int, rng: np.random.Generator, concentration: float, stationary: bool
) -> MarkovChain:
    size, steps = positive_integer(num_states, "num_states"), positive_integer(horizon, "horizon") - 1
    matrices = 1 if stationary else steps
    large = "num_states" if size**2 >= matrices else "horizon"
    refuse_large_array(large, size if large == "num_states" else horizon, (matrices, size, size))
    initial = dirichlet(size, concentration, rng)
    if stationary:
        return MarkovChain(initial, dirichlet(size, concentration, rng, size), horizon)
    return MarkovChain(initial, dirichlet(size, concentration, rng, (steps, size)))


def _shape(table: ArrayLike, index: int) -> tuple[int, ...]:
    try:
        return np.shape(table)
    except ValueError as error:
        raise InvalidInput(f"conditionals[{index}] is not an array ({error}): its rows must be of one length") from None


def _refuse_large(num_states: int, horizon: int) -> None:
    last, power = shown(horizon - 1), f"{shown(num_states)}**{shown(horizon)}"
    # In logarithms, which are exact for powers of two: the power itself may have billions of digits.
    if num_states > 1 and horizon > math.log2(LARGEST_TABLE) / math.log2(num_states):
        raise InvalidInput(
            f"conditionals[{last}] has {power} entries, more than {LARGEST_TABLE}: "
            "use a MarkovChain or a shorter horizon"
        )
    if horizon > MOST_AXES:
        raise InvalidInput(
            f"conditionals[{last}] has {shown(horizon)} axes, more than {MOST_AXES}: "
            "use a MarkovChain or a shorter horizon"
        )


def _horizon(transitions: np.ndarray, horizon: int | None) -> int:
    if transitions.ndim == 2:
        if horizon is None:
            raise InvalidInput("horizon is missing: one transition matrix does not say how long the sequence is")
        given = horizon
    else:
        given = transitions.shape[0] + 1
        if horizon is not None and positive_integer(horizon, "horizon") != given:
            raise InvalidInput(
                f"horizon is {horizon} but transitions holds {transitions.shape[0]} matrices, "
                f"which make a horizon of {given}: leave horizon out"
            )
    return positive_integer(given, "horizon")
