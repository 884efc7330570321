"""What a failure is guessed to come of: nothing is said of the contract where that is not it."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from specproof.conformance import Budget, Contract, Detector, Finding, Report, Verdict, check_sampler
from specproof.conformance.references import token_by_token
from specproof.conformance.report.hints import hint
from specproof.conformance.report.text import full, plain

BUDGET = Budget(first=2, rounds=1, small=1, degenerate=2, seconds=60.0)
CONTRACT, TENSORS, NUMPY = "is its contract", "See --arrays torch", "handed without --arrays torch"
THREAD, NO_LAW = "calls come from another thread", "draft_probs? It may be None: raise Unsupported"
FOUR = "by position with 4 arguments, draft_probs, target_probs, draft_tokens, rng: wrap it"


def hinted(function: Any, contract: str = "chain", arrays: str = "numpy") -> str:
    report = check_sampler(function, contract, arrays=arrays, budget=BUDGET)
    assert report.findings, str(report)
    return hint(report)


def answering(change: Callable[[Any], Any]) -> Any:
    return lambda *arguments: change(token_by_token(*arguments))


async def asynchronous(*_: Any) -> Any:
    """It waits for nothing."""


@pytest.mark.parametrize(
    "change",
    [
        *(lambda rows, kind=kind: rows.astype(kind) for kind in (float, bool, str, object)),
        lambda rows: None,
        lambda rows: (row for row in rows),
        lambda rows: 3,
        lambda rows: np.full_like(rows, -1),
        lambda rows: rows + 100,
    ],
)
def test_what_is_no_answer_in_any_contract_is_not_blamed_on_the_contract(change: Any) -> None:
    assert hinted(answering(change)) == ""


def test_nor_is_what_nobody_waits_for() -> None:
    assert hinted(asynchronous) == ""
    future = asyncio.Future(loop=asyncio.new_event_loop())  # type: ignore[var-annotated]
    assert hinted(lambda *_: future) == ""
    future.get_loop().close()


@pytest.mark.parametrize("change", [lambda rows: rows[:, :-1], lambda rows: (rows, rows[:, 0])])
def test_another_shape_may_be_of_another_contract(change: Any) -> None:
    assert CONTRACT in hinted(answering(change))


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda a, b, c: None, FOUR),
        (lambda a, b, c, *, rng: None, FOUR),
        (lambda a, b, c, d, *, temperature: None, FOUR),
        (lambda a, b, c, d, e: None, f"{FOUR}; or is its contract round? See --contract"),
        (lambda a, b, c, d, e, f: None, f"{FOUR}; or is its contract generate? See --contract"),
    ],
)
def test_of_other_parameters_it_is_said_how_a_function_is_called(function: Any, said: str) -> None:
    assert hinted(function) == f"it is called {said}"


def test_that_a_method_is_handed_itself_is_not_counted() -> None:
    class Loop:
        def step(self, draft_probs: Any, target_probs: Any, draft_tokens: Any, rng: Any) -> Any:
            """Verify."""

    assert "or is its contract chain or multi or tree?" in hinted(Loop().step, "generate")


def test_an_error_in_a_call_of_its_own_is_not_of_its_parameters() -> None:
    def verify(draft_probs: Any, target_probs: Any, draft_tokens: Any, rng: Any) -> Any:
        return (lambda one: one)(1, 2)  # type: ignore[call-arg]

    assert hinted(verify) == ""


def test_arrays_of_another_library_are_recognised() -> None:
    torch = pytest.importorskip("torch")
    for of_tensors in (
        lambda p, q, x, rng: torch.where(x > 0, x, x),
        lambda p, q, x, rng: torch.cat([x, x], dim=1),
        lambda p, q, x, rng: torch.log(q),
        lambda p, q, x, rng: torch.rand(3, dtype=q.dtype),
        lambda p, q, x, rng: q.argmax(dim=-1),
        lambda p, q, x, rng: q.max(dim=-1).values,
        lambda p, q, x, rng: q.softmax(-1),
        lambda p, q, x, rng: x.size(0),
        lambda p, q, x, rng: x.view(-1),
    ):
        assert TENSORS in hinted(of_tensors)
    for of_numpy in (
        lambda p, q, x, rng: q.astype(int),
        lambda p, q, x, rng: x.repeat(2, axis=1),
        lambda p, q, x, rng: np.take_along_axis(p, x[..., None], 2),
        lambda p, q, x, rng: q.size // 2,
        token_by_token,
    ):
        assert NUMPY in hinted(of_numpy, arrays="torch")
    assert "rng is a NumPy generator" in hinted(lambda p, q, x, rng: torch.rand(3, generator=rng), arrays="torch")
    assert THREAD in hinted(lambda *_: torch.ones(3, requires_grad=True).numpy())


def test_what_belongs_to_the_thread_of_the_import_is_told() -> None:
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        assert THREAD in hinted(lambda *_: connection.execute("select 1"))
    assert THREAD in hinted(lambda *_: asyncio.get_event_loop())


def test_a_tree_without_a_draft_law_is_told() -> None:
    assert NO_LAW in hinted(lambda tree, target_probs, draft_probs, rng: draft_probs[0], "tree")
    assert CONTRACT in hinted(lambda tree, target_probs, draft_probs, rng: tree["tokens"], "tree")


def test_a_later_failure_is_no_misunderstanding() -> None:
    found = Finding(Verdict.CRASHES, Detector.OUTPUT, "", "raised TypeError: log(): input must be Tensor, not numpy.a")
    first, later = (Report("f", Contract.CHAIN, Verdict.CRASHES, (found,), calls=calls) for calls in (1, 2))
    assert TENSORS in hint(first)
    assert hint(later) == ""
    assert hint(Report("f", Contract.CHAIN, Verdict.LOSSLESS)) == ""
    assert f"hint {hint(first)}" in plain(full(first)).splitlines()
