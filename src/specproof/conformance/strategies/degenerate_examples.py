"""Degenerate pairs as examples of a property."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import example

from specproof.conformance.problems.degenerate_pairs import DEGENERATE


def with_degenerate(**fixed: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Add every degenerate pair as an example of a property of ``pair``, with the other arguments fixed.

    Examples
    --------
    >>> from hypothesis import given
    >>> from specproof.conformance.strategies import pairs
    >>> @with_degenerate()
    ... @given(pair=pairs())
    ... def both_have_one_length(pair):
    ...     assert len(pair[0]) == len(pair[1])
    """

    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        for pair in DEGENERATE.values():
            test = example(pair=pair, **fixed)(test)
        return test

    return decorate
