"""Arguments that cannot be used, and what has to be said of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from specproof.theory.errors import InvalidInput

HALF = [0.5, 0.5]
Case = tuple[Callable[..., Any], tuple[Any, ...], tuple[str, ...]]
BAD_DRAFTS: list[tuple[Any, tuple[str, ...]]] = [
    (0, ("num_drafts is 0", "at least 1")),
    (-3, ("num_drafts is -3", "at least 1")),
    (1.5, ("num_drafts is 1.5", "integer")),
    (True, ("num_drafts is True", "integer")),
    ("2", ("num_drafts is '2'", "integer")),
    (None, ("num_drafts is None", "integer")),
    (2**63, (f"num_drafts is {2**63}", "integer")),
    ([], ("num_drafts", "(0,)", "integer")),
    (np.full((2, 2), 1.5), ("num_drafts", "(2, 2)", "float64", "integer")),
    ([[1], [1, 2]], ("num_drafts", "integers")),
    ([1, 0], ("num_drafts[1] is 0", "at least 1")),
]


def assert_named_on_one_line(
    function: Callable[..., Any], arguments: tuple[Any, ...], expected: tuple[str, ...]
) -> None:
    with pytest.raises(InvalidInput) as caught:
        function(*arguments)
    message = str(caught.value)
    assert "\n" not in message
    assert [part for part in expected if part not in message] == [], message
