"""What every rule of one position accepts, next to the optimum, for rows of arrays in files."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from specproof.simulations.mapped_array import let_go, mapped_array
from specproof.theory.distribution import Array, as_distribution
from specproof.theory.drafts import one_num_drafts
from specproof.theory.errors import InvalidInput, entry
from specproof.theory.one_position import DRAWS_AT_ONE_POSITION, OnePositionRule, one_position_rules
from specproof.theory.rows import in_threads
from specproof.theory.sampling_settings import SamplingSettings

CHUNK_ENTRIES = 2**18
"""Rows are worked on together until they have this many entries: the arrays of a chunk take some tens of megabytes."""


@dataclass(frozen=True)
class Rows:
    """Rows of probabilities or logits, of which a few at a time are made distributions."""

    name: str
    """What error messages call them."""
    values: NDArray[Any]
    """They have shape (..., V)."""
    settings: SamplingSettings | None = None
    """How logits become distributions; None if they are probabilities."""

    def __post_init__(self) -> None:
        if self.values.ndim == 0 or self.values.size == 0:
            raise InvalidInput(f"{self.name} has shape {self.values.shape}: give at least one row of one token")

    @classmethod
    def load(cls, path: Path, name: str, settings: SamplingSettings | None) -> Rows:
        """Map a .npy file into memory.

        Raises
        ------
        InvalidInput
            If the file cannot be read or is not what it should be.
        """
        return cls(name, mapped_array(path, name), settings)

    def distributions(self, leading: tuple[int, ...], places: range, vocabulary: int) -> Array:
        """Make distributions over a vocabulary of V' >= V tokens, of which the last have no probability.

        Parameters
        ----------
        leading : tuple of int
            The shape that the leading axes are broadcast to.
        places : range
            Which of the rows, numbered through all leading axes.
        vocabulary : int

        Raises
        ------
        InvalidInput
            If a row is not a distribution, or not one of logits.
        """
        indices = [tuple(map(int, np.unravel_index(place, leading))) if leading else () for place in places]
        spread = np.broadcast_to(self.values, (*leading, self.values.shape[-1]))
        rows = np.stack([spread[index] for index in indices])
        try:
            made = self._made(rows, self.name)
        except InvalidInput:
            for index, row in zip(indices, rows, strict=True):
                self._made(row, entry(self.name, index))  # which names the row by its number among all
            raise
        missing = vocabulary - made.shape[-1]
        return np.pad(made, ((0, 0), (0, missing))) if missing else made

    def _made(self, rows: NDArray[Any], name: str) -> Array:
        if self.settings is not None:
            distributions: Array = self.settings.distribution(rows, name)
            return distributions
        try:
            return as_distribution(rows, name)
        except InvalidInput as error:
            raise InvalidInput(f"{error}; if the file holds logits, pass --logits") from None


@dataclass(frozen=True)
class Acceptances:
    """What every rule of one position accepts, next to the optimum of its drafts.

    Attributes
    ----------
    rules : dict of OnePositionRule
        Every rule by name: the lossless ones first, the ways to draft one after the other, and of each the rules that
        were computed, the one that accepts least on average first, then those that were not, and the optimum.
    acceptance : dict of array, shape (...)
        The exact acceptance of each rule that was computed.
    refusals : dict of str
        Why each of the others was not computed.
    """

    rules: dict[str, OnePositionRule]
    acceptance: dict[str, Array]
    refusals: dict[str, str]


def acceptances(
    draft: Rows, target: Rows, num_drafts: int, advance: Callable[[int], None] = lambda _: None
) -> Acceptances:
    """Exact acceptance of each rule of one position by its name.

    Where the vocabularies differ in length, the last tokens of the longer have no probability in the shorter. A rule
    that refuses a row, because its law is too dear to compute or it does not take so many drafts, is left out.

    Parameters
    ----------
    draft, target : Rows
        Their leading axes broadcast.
    num_drafts : int
    advance : callable
        Is told after each chunk how many rows it had.

    Raises
    ------
    InvalidInput
        If a row cannot be used, the leading axes do not broadcast or the number of drafts is not an integer >= 1.
    """
    leading, drafts = leading_axes(draft, target), one_num_drafts(num_drafts)
    vocabulary = max(rows.values.shape[-1] for rows in (draft, target))
    count, step = math.prod(leading), max(1, CHUNK_ENTRIES // vocabulary)
    rules = one_position_rules()
    refusals: dict[str, str] = {}

    def chunk(places: range) -> dict[str, Array]:
        p, q = (rows.distributions(leading, places, vocabulary) for rows in (draft, target))
        return _of_rows(p, q, drafts, rules, refusals)

    chunks = [range(first, min(first + step, count)) for first in range(0, count, step)]
    parts = []
    for places, part in zip(chunks, in_threads(chunk, chunks), strict=True):
        parts.append(part)
        let_go(draft.values)
        let_go(target.values)
        advance(len(places))
    computed = [name for name in rules if name not in refusals]
    found = {name: np.concatenate([part[name] for part in parts]).reshape(leading) for name in computed}
    return Acceptances(_in_order(rules, found), found, refusals)


def _of_rows(
    draft: Array, target: Array, num_drafts: int, rules: dict[str, OnePositionRule], refusals: dict[str, str]
) -> dict[str, Array]:
    """What each rule accepts that has refused no row so far; rules of one formula are computed once."""
    found: dict[str, Array] = {}
    known: dict[Callable[[Array, Array, int], Array], Array] = {}
    for name, rule in rules.items():
        if name in refusals:
            continue
        try:
            rule.check_takes(num_drafts)
            if rule.acceptance not in known:
                known[rule.acceptance] = rule.acceptance(draft, target, num_drafts)
            found[name] = known[rule.acceptance]
        except InvalidInput as error:
            refusals[name] = str(error)
    return found


def _in_order(rules: dict[str, OnePositionRule], found: dict[str, Array]) -> dict[str, OnePositionRule]:
    ways = list(DRAWS_AT_ONE_POSITION)

    def place(rule: OnePositionRule) -> tuple[bool, int, bool, bool, float]:
        known = rule.name in found
        mean = float(found[rule.name].mean()) if known else 0.0
        return not rule.is_lossless, ways.index(rule.draws), rule.name == rule.optimum, not known, mean

    return {rule.name: rule for rule in sorted(rules.values(), key=place)}


def leading_axes(draft: Rows, target: Rows) -> tuple[int, ...]:
    """Broadcast the axes before the tokens to one shape.

    Raises
    ------
    InvalidInput
        If they do not broadcast.
    """
    try:
        return np.broadcast_shapes(draft.values.shape[:-1], target.values.shape[:-1])
    except ValueError:
        raise InvalidInput(
            f"{draft.name} has shape {draft.values.shape} and {target.name} {target.values.shape}: "
            "give both the same number of rows"
        ) from None
