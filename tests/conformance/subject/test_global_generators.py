"""A function that draws from a global generator, or seeds one, leaves it as it was, and that is told."""

from __future__ import annotations

import random
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
from check_budgets import QUICK

from specproof.conformance import check_sampler
from specproof.conformance.references import select

TORCH = pytest.mark.skipif(not find_spec("torch"), reason="torch is not installed")
PROBLEM = "three tokens, k = 1"


def python(rng: Any) -> None:
    random.seed(int(rng.integers(2**31)))


def numpy(rng: Any) -> None:
    np.random.seed(int(rng.integers(2**31)))  # noqa: NPY002


def torch(rng: Any) -> None:
    import torch

    torch.manual_seed(int(rng.integers(2**31)))


def state(name: str) -> Any:
    if name == "torch":
        import torch

        return torch.get_rng_state().tolist()
    return random.getstate() if name == "Python" else [np.asarray(it).tolist() for it in np.random.get_state()]  # noqa: NPY002


@pytest.mark.parametrize(
    ("name", "seeds"), [("Python", python), ("NumPy", numpy), pytest.param("torch", torch, marks=TORCH)]
)
def test_a_global_generator_is_put_back_and_told(name: str, seeds: Any) -> None:
    def verify(*arguments: Any) -> Any:
        seeds(arguments[-1])
        return select("single", *arguments)

    before = state(name)
    report = check_sampler(verify, "multi", budget=QUICK, problem=PROBLEM)
    assert report.is_lossless
    assert f"it uses the global generator of {name}, put back" in "".join(report.notes)
    assert state(name) == before


def test_of_a_function_that_uses_none_nothing_is_told() -> None:
    report = check_sampler(lambda *given: select("single", *given), "multi", budget=QUICK, problem=PROBLEM)
    assert not report.notes


def test_a_function_that_draws_from_one_does_not_repeat_itself() -> None:
    def verify(draft_probs: Any, target_probs: Any, draft_tokens: Any, rng: Any) -> Any:
        return select("single", draft_probs, target_probs, draft_tokens, np.random)  # type: ignore[arg-type]

    report = check_sampler(verify, "multi", budget=QUICK, problem=PROBLEM)
    assert report.is_lossless
    assert not report.reproducible
