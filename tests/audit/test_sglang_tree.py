"""SGLang's kernel for trees, compiled with the stand-ins for CUDA: one tree whose outcome is known for each uniform."""

from __future__ import annotations

import shutil
from types import SimpleNamespace

import numpy as np
import pytest

from audit.adapters import sglang_tree
from audit.package import is_fetched
from specproof.conformance import Unsupported

TARGET = [[0.5, 0.25, 0.25], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
"""Of the root, and of its children, the tokens 0 and 1: without them the root's token 2 is left."""


class Uniforms:
    """A generator that gives these: the same at all nodes of a row, and one more for its last draw."""

    def __init__(self, *rows: float) -> None:
        self.rows = np.array(rows)

    def random(self, shape: tuple[int, ...] | int, dtype: type[np.floating]) -> np.ndarray:
        """Repeat a row's number over its nodes."""
        columns = self.rows.reshape((-1,) + (1,) * (np.size(shape) - 1))
        return np.broadcast_to(columns, shape).astype(dtype)


def tree(rows: int, drawn: str) -> SimpleNamespace:
    """A root with two leaves, the tokens 0 and 1, in each row."""
    nodes = {"tokens": [-1, 0, 1], "first_child": [1, -1, -1], "next_sibling": [-1, 2, -1]}
    return SimpleNamespace(drawn=drawn, depth=1, **{name: np.tile(part, (rows, 1)) for name, part in nodes.items()})


@pytest.mark.skipif(shutil.which("c++") is None, reason="there is no compiler")
@pytest.mark.skipif(not is_fetched(*sglang_tree.WHEELS), reason="its wheel is not in the cache")
def test_a_sibling_is_taken_where_the_uniform_falls_and_else_a_token_of_no_sibling() -> None:
    rng: np.random.Generator = Uniforms(0.49, 0.51, 0.74, 0.76)  # type: ignore[assignment]
    emitted = sglang_tree.verify(tree(4, "certain"), np.tile(TARGET, (4, 1, 1)), None, rng)
    assert emitted.tolist() == [[0, 2], [1, 0], [1, 0], [2, -1]]


def test_siblings_that_can_be_equal_are_refused() -> None:
    with pytest.raises(Unsupported, match="can be equal"):
        sglang_tree.verify(tree(1, "iid"), np.array([TARGET]), None, np.random.default_rng(0))
