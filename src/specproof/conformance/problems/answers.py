"""What a sampler answers: token ids of the shape and range of its contract, or a sentence that says why not."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from specproof.conformance.problems.drawing import Tokens
from specproof.conformance.subject.failures import InvalidOutput, one_line
from specproof.conformance.subject.sampler_under_test import to_numpy


class Emission(NamedTuple):
    """A well-formed answer to one call, for n trials."""

    tokens: Tokens
    """The emitted tokens have shape (n, L+1) in the contract chain, (n, 1) in multi and (n, length) in generate."""
    accepted: Tokens
    """In multi this is the index of the accepted draft or -1, in chain the number of leading tokens that are the
    drafts, in generate 0; shape (n,)."""

    def rows(self, chosen: NDArray[Any]) -> Emission:
        """Some of the trials."""
        return Emission(self.tokens[chosen], self.accepted[chosen])


UNKNOWN = np.zeros(0, dtype=np.int64)
"""The numbers of drafts that nobody asked for."""


class Sample(NamedTuple):
    """Trials of one problem: numbers of outcomes of its completed and its emitted law, and what was accepted.

    ``drafts`` are the numbers of the drafts that were handed out, see ``Problem.draft_chances``.
    """

    completed: Tokens
    emitted: Tokens
    first: Tokens
    accepted: Tokens
    drafts: Tokens = UNKNOWN


def as_ids(result: Any, name: str, shape: tuple[int, ...], lowest: int, highest: int) -> Tokens:
    """Take integers of a shape, at least ``lowest`` and below ``highest``.

    Raises
    ------
    InvalidOutput
        Naming the first trial that is wrong.
    """
    try:
        array = to_numpy(result)
    except (Exception, SystemExit) as error:
        raise InvalidOutput(f"{name} is no array of shape {shape} ({one_line(error)})") from None
    if array.shape != shape:
        raise InvalidOutput(f"{name} is {shown(result)}: its shape must be {shape}")
    if array.dtype.kind not in "iu":
        raise InvalidOutput(f"{name} has dtype {array.dtype}: return an array of integers")
    wrong = np.asarray((array < lowest) | (array >= highest))
    rows = wrong.reshape(len(array), -1).any(axis=1) if wrong.any() else wrong
    refuse_rows(rows, array, f"is out of range for {name}", f"allowed: {lowest}..{highest - 1}")
    return array.astype(np.int64, order="C")


def refuse_rows(wrong: Any, rows: NDArray[Any], what: str, remedy: str) -> None:
    """Name the first of the trials that are wrong, if any is.

    Raises
    ------
    InvalidOutput
    """
    if wrong.any():
        index = int(np.argmax(wrong))
        raise InvalidOutput(f"trial {index} of {len(wrong)}, {rows[index].tolist()}, {what} ({remedy})")


def shown(result: Any) -> str:
    """Name the type of what was returned, and its shape if it has one."""
    try:
        shape = tuple(result.shape)
    except Exception:  # it has none, or none that can be read
        return f"a {type(result).__name__}"
    return f"a {type(result).__name__} of shape {shape}"


def number_rows(digits: Tokens, base: int) -> Tokens:
    """Read each row of digits (n, m) as a number of this base, shape (n,)."""
    number = np.zeros(digits.shape[0], dtype=np.int64)
    for column in digits.T:
        number = number * base + column
    return number
