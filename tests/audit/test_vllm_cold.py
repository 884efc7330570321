"""The kernels of vLLM's CPU build, cold and warm: a call does not depend on the calls before it in its process."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest

pytest.importorskip("torch")

import numpy as np
import torch

from audit.adapters import vllm
from audit.package import is_fetched
from specproof.conformance.problems import Tokens
from specproof.conformance.problems.ladder import degenerate_problems, ladder

SIZES = (1, 2, 3, 17, 64, 256)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="a process is forked for each cold call"),
    pytest.mark.skipif(not is_fetched(*vllm.WHEELS), reason="its wheel is not in the cache"),
]


@pytest.fixture(scope="module")
def calls() -> list[tuple[Any, ...]]:
    """The inputs of a call on every problem in batches of each size."""
    problems = [*ladder("chain").values(), *degenerate_problems("chain").values()]
    shapes = [(problem, size) for problem in problems for size in SIZES]
    return [
        problem.positional(problem.arguments(size, np.random.default_rng(seed)))
        for seed, (problem, size) in enumerate(shapes)
    ]


def verify(arguments: tuple[Any, ...], seed: int, *, cpp: bool) -> Tokens:
    """Verify; of five calls two are of sampled rows alone, and three of rows at the temperatures 0 and 1."""
    mixed = torch.from_numpy(np.random.default_rng(seed).integers(2, size=len(arguments[2]))).float()
    temperature = mixed if seed % 5 > 1 else None
    return vllm.first(*arguments, np.random.default_rng(seed), cpp=cpp, temperature=temperature)


def cold(arguments: tuple[Any, ...], seed: int) -> Tokens:
    """Make a call in a process that has loaded the kernels and has called none."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        with os.fdopen(writing, "w") as answer:
            json.dump(verify(arguments, seed, cpp=True).tolist(), answer)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        emitted = np.array(json.load(answer))
    os.waitpid(child, 0)
    return emitted


def test_cold_calls_warm_calls_and_tritons_kernels_emit_the_same(calls: list[tuple[Any, ...]]) -> None:
    vllm._module(vllm.WHEEL)
    vllm._cpp_routes()
    before = [cold(arguments, seed) for seed, arguments in enumerate(calls)]
    for seed in np.random.default_rng(0).permutation(len(calls)):
        warm, triton = (verify(calls[seed], seed, cpp=cpp) for cpp in (True, False))
        assert np.array_equal(before[seed], warm)
        assert np.array_equal(warm, triton)
