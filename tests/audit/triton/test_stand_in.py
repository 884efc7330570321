"""The stand-in for Triton: against what Triton documents, and against known answers of its generator."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

import numpy as np  # noqa: E402

from audit.triton import language as tl  # noqa: E402
from audit.triton.launch import TILE, Kernel, cdiv, jit, modules  # noqa: E402


@jit
def running_sum(out_ptr, in_ptr, size, BLOCK: tl.constexpr):  # type: ignore[no-untyped-def]  # noqa: N803
    row = tl.program_id(0)
    total = 0.0
    for start in range(0, size, BLOCK):
        places = start + tl.arange(0, BLOCK)
        total += tl.sum(tl.load(in_ptr + row * size + places, mask=places < size, other=0.0))
    tl.store(out_ptr + row, total)


@pytest.mark.parametrize("size", [1, TILE, TILE + 1, 3 * TILE])
def test_a_kernel_runs_over_rows_and_crosses_tiles(size: int) -> None:
    rows = torch.arange(2 * size, dtype=torch.float32).view(2, size)
    sums = torch.zeros(2)
    running_sum[(2,)](sums, rows, size, BLOCK=4096)
    assert torch.equal(sums, rows.sum(1))


def test_a_tile_is_as_narrow_in_the_grid_as_in_the_kernel() -> None:
    assert cdiv(2 * TILE + 1, 8192) == 3


def test_a_place_outside_of_its_tensor_is_refused() -> None:
    with pytest.raises(IndexError, match="outside the 2 elements"):
        running_sum[(2,)](torch.zeros(2), torch.zeros(2), 2, BLOCK=4096)


def test_a_value_that_was_handed_to_a_function_is_not_written_to() -> None:
    @jit
    def doubled(given):  # type: ignore[no-untyped-def]
        given *= 2
        return given

    own = tl.full((), 3, tl.uint32)
    assert int(doubled(own)) == 6
    assert int(own) == 3


def test_philox_has_its_published_answers() -> None:
    """Random123's known answers for philox4x32 with ten rounds, counter and key 0."""
    assert int(tl.philox(np.uint64(0), np.zeros((), np.uint32))) == 0x6627E8D5


def test_uniforms_are_in_their_range_and_even() -> None:
    """The mean of 10,000 uniforms is off by more than 0.017 with probability 1e-8 or so."""
    uniforms = tl.rand(tl.full((), -5, tl.int64), tl.arange(0, 10_000))
    assert 0.0 <= uniforms.min() <= uniforms.max() < 1.0
    assert abs(uniforms.mean() - 0.5) < 0.017
    assert uniforms.dtype == np.float32


def test_uniforms_are_made_of_whole_numbers() -> None:
    """Triton takes them as signed words and folds the negative ones; its factor is a little below 2^-31."""
    seed, places = tl.full((), 7, tl.int64), tl.arange(0, 1000)
    words = np.asarray(tl.randint(seed, places)).astype(np.int64)
    folded = np.where(words < 2**31, words, 2**32 - 1 - words)
    assert words.max() >= 2**31
    assert np.abs(tl.rand(seed, places) - folded / 2**31).max() < 1e-7


def test_the_modules_are_those_that_kernels_import() -> None:
    stand_ins = modules()
    assert isinstance(stand_ins["triton"].jit(running_sum.fn), Kernel)
    assert stand_ins["triton.language"] is tl
