"""Stacks of rows worked on in blocks: the same numbers and messages, and little memory."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest

from specproof.theory import stacks
from specproof.theory.distribution import Array, dirichlet
from specproof.theory.errors import InvalidInput
from specproof.theory.transport import optimal_acceptance
from specproof.theory.verifiers.kseq.factor import division_factor

WORKS: dict[str, Callable[..., Array]] = {"optimum": optimal_acceptance, "K-SEQ": division_factor}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", WORKS)
def test_blocks_give_what_the_whole_gives(name: str, dtype: type, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    draft, target = dirichlet(9, 0.5, rng, (4, 3)).astype(dtype), dirichlet(9, 0.5, rng, (3,)).astype(dtype)
    whole = WORKS[name](draft, target, 3)
    monkeypatch.setattr(stacks, "_SMALL", 0)
    monkeypatch.setattr(stacks, "_ENTRIES", 50)  # five rows, and two in the last block
    assert WORKS[name](draft, target, 3).tolist() == whole.tolist()
    assert whole.shape == (4, 3)
    counts = np.array([1, 4])
    assert optimal_acceptance(draft, target, counts).shape == (4, 3, 2)
    assert float(WORKS[name](draft[0, 0], target[0], 3)) == whole[0, 0]


@pytest.mark.parametrize("name", WORKS)
def test_a_wrong_row_is_named_by_its_place_in_the_stack(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    draft, target = dirichlet(9, 0.5, rng, (4, 3)), dirichlet(9, 0.5, rng, (4, 3))
    target[2, 1, 5] = -1.0
    with pytest.raises(InvalidInput) as expected:
        WORKS[name](draft, target, 3)
    monkeypatch.setattr(stacks, "_SMALL", 0)
    monkeypatch.setattr(stacks, "_ENTRIES", 9)
    with pytest.raises(InvalidInput) as found:
        WORKS[name](draft, target, 3)
    assert "target[2, 1, 5]" in str(found.value)
    assert str(found.value) == str(expected.value)
    for wrong in (target[:3], target[..., :8]):
        with pytest.raises(InvalidInput):
            WORKS[name](draft, wrong, 3)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", WORKS)
def test_a_stack_needs_at_most_half_of_its_memory_again(name: str, dtype: type) -> None:
    rows = np.full((64, 2**15), 2.0**-15, dtype)
    tracemalloc.start()
    try:
        found = WORKS[name](rows, rows, 4)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found == pytest.approx(1.0, abs=1e-12)
    assert peak <= rows.nbytes  # half of the two stacks
