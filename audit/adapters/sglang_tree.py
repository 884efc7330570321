"""SGLang: its kernel for trees, ``tree_speculative_sampling_target_only``, compiled for a processor.

The kernel is SGLang's CUDA source as it is in the wheel; what it uses of CUDA, CUB and FlashInfer has stand-ins in
``audit/cuda/``, for blocks of one thread.
"""

from __future__ import annotations

import ctypes
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit.adapters.sglang import WHEEL
from audit.package import unpacked
from specproof.conformance import Unsupported
from specproof.conformance.problems import Tokens
from specproof.theory.distribution import Array
from specproof.theory.errors import InvalidInput

WHEELS = (WHEEL,)
INCLUDED = "sglang/kernels/jit/include"
HEADER = f"{INCLUDED}/sgl_kernel/speculative/sampling.cuh"
STAND_INS = Path(__file__).parents[1] / "cuda"


def verify(tree: Any, target_probs: Array, draft_probs: Array | None, rng: np.random.Generator) -> Tokens:
    """Contract tree, for siblings that differ, whose draft law the kernel does not ask for.

    Raises
    ------
    Unsupported
        If siblings can be equal.
    """
    del draft_probs
    if tree.drawn not in ("certain", "distinct"):
        raise Unsupported("siblings that can be equal: give certain or distinct ones")
    trials, nodes = tree.tokens.shape
    slots = np.arange(trials * nodes, dtype=np.int64).reshape(trials, nodes)
    index = np.full((trials, tree.depth + 1), -1, dtype=np.int32)
    predicts, accepted = np.full(trials * nodes, -1, dtype=np.int32), np.zeros(trials, dtype=np.int32)
    topology = (np.ascontiguousarray(part, dtype=np.int64) for part in (tree.first_child, tree.next_sibling))
    target = np.ascontiguousarray(target_probs, dtype=np.float32)
    uniforms, last = rng.random((trials, nodes), dtype=np.float32), rng.random(trials, dtype=np.float32)
    candidates = np.ascontiguousarray(tree.tokens, dtype=np.int64)
    arrays = (predicts, index, accepted, candidates, slots, *topology, uniforms, last, target, np.zeros_like(target))
    _kernel()(*map(_pointer, arrays), trials, tree.depth + 1, nodes, target.shape[-1])
    return np.where(index >= 0, predicts[np.maximum(index, 0)], -1).astype(np.int64)


def _pointer(array: NDArray[Any]) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)


@cache
def _kernel() -> Any:
    """The kernel with its loop over rows, compiled once a process."""
    headers = unpacked(WHEEL, HEADER) / INCLUDED
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder, "tree.so")
        command = ["c++", "-std=c++20", "-O2", "-shared", "-fPIC", f"-I{STAND_INS}", f"-I{headers}"]
        try:
            subprocess.run(
                [*command, str(STAND_INS / "sglang_tree.cpp"), "-o", str(library)], check=True, capture_output=True
            )
        except (OSError, subprocess.CalledProcessError) as error:
            raise InvalidInput(f"c++ cannot compile {HEADER} ({error}): install a compiler of C++20") from None
        return ctypes.CDLL(str(library)).tree_speculative_sampling_target_only
