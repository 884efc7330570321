"""Calling a stranger's function, and living with what it does and returns."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from typing import Any

import numpy as np
import pytest

from specproof.conformance.problems import ChainProblem, GenerateProblem, MultiProblem
from specproof.conformance.problems.ladder import degenerate_problems, ladder
from specproof.conformance.references import token_by_token
from specproof.conformance.subject.failures import Crash, InvalidOutput
from specproof.conformance.subject.sampler_under_test import Subject
from specproof.theory.chain import TabularModel

CHAIN, MULTI = ladder("chain")["two drafts, three tokens"], ladder("multi")["three tokens, k = 2"]
assert isinstance(CHAIN, ChainProblem)
assert isinstance(MULTI, MultiProblem)


def run(result: Any, problem: Any = CHAIN) -> Any:
    inputs = problem.inputs(4, np.random.default_rng(0))
    return problem.ask(Subject(lambda *_: result, "numpy", 10.0, 10.0), inputs, 0)


def test_torch_is_there_before_the_first_call_is_timed() -> None:
    code = (
        "import sys\n"
        "from specproof.conformance.subject.sampler_under_test import Subject\n"
        "for arrays in ('numpy', 'torch'):\n"
        "    Subject(print, arrays, 1.0, 1.0)\n"
        "    print('torch' in sys.modules)\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["False", "True"]


class Unreadable:
    """Its attributes raise what they like."""

    @property
    def shape(self) -> Any:
        raise RuntimeError("no shape")

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise RuntimeError("no shape")


def drafts(problem: Any = CHAIN) -> Any:
    return problem.inputs(4, np.random.default_rng(0)).draft_tokens


def test_matches_are_the_leading_drafts_that_were_emitted() -> None:
    emitted = np.full((4, 3), -1)
    emitted[:, :2] = drafts()
    emitted[0, 2] = 1
    emitted[2, 1] = (emitted[2, 1] + 1) % 3
    emitted[3] = [(emitted[3, 0] + 1) % 3, -1, -1]
    assert run(emitted).accepted.tolist() == [2, 2, 1, 0]


@pytest.mark.parametrize(
    ("tokens", "said"),
    [
        ([[0, 1, 2]] * 3, r"its shape must be \(4, 3\)"),
        ([[0, -1, 2]] * 4, "goes on after -1"),
        ([[-1, -1, -1]] * 4, "begins with -1"),
        ([[3, -1, -1]] * 4, "out of range"),
        ([[0.0, -1, -1]] * 4, "emitted has dtype float64: return an array of integers"),
        ([[0], [1, 2]], "not an array|shape"),
        ("text", "its shape"),
        (Unreadable(), "RuntimeError: no shape"),
    ],
)
def test_chain_output_outside_the_contract(tokens: Any, said: str) -> None:
    with pytest.raises(InvalidOutput, match=said):
        run(tokens)


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (np.zeros(4, int), "return \\(emitted, accepted\\)"),
        (Unreadable(), "a Unreadable: return"),
        ((np.zeros(4, int),) * 3, "return \\(emitted, accepted\\)"),
        ((np.zeros(4, int), np.full(4, 2)), "accepted.*out of range|out of range"),
        ((np.zeros(4, int), np.full(4, -2)), "out of range"),
        ((np.full(4, -1), np.full(4, -1)), "out of range"),
        (((drafts(MULTI)[:, 1] + 1) % 3, np.ones(4, int)), "emits another token than the draft it names"),
    ],
)
def test_multi_output_outside_the_contract(result: Any, said: str) -> None:
    with pytest.raises(InvalidOutput, match=said):
        run(result, MULTI)


def test_copies_are_handed_out_and_changes_are_noticed() -> None:
    def spoils(draft_probs: Any, target_probs: Any, draft_tokens: Any, rng: Any) -> Any:
        result = token_by_token(draft_probs, target_probs, draft_tokens, rng)
        draft_probs[:] = np.nan
        return result

    inputs = CHAIN.inputs(4, np.random.default_rng(0))
    subject = Subject(spoils, "numpy", 10.0, 10.0)
    CHAIN.ask(subject, inputs, 0)
    assert subject.changes_inputs
    assert np.isfinite(inputs.draft_probs).all()


def test_models_are_handed_out_as_copies_and_changes_are_noticed() -> None:
    problem = ladder("generate")["two tokens"]
    assert isinstance(problem, GenerateProblem)
    law = problem.target_law.copy()

    def spoils(draft: Any, target: Any, prompt: Any, length: Any, n: Any, rng: Any) -> Any:
        target.conditionals[0][...] = 0.5
        target.conditionals[1][...] = 0.5
        return np.zeros((n, length), dtype=int)

    subject = Subject(spoils, "numpy", 10.0, 10.0)
    problem.ask(subject, problem.arguments(4, np.random.default_rng(0)), 0)
    assert subject.changes_inputs
    fresh = GenerateProblem(problem.draft, problem.target, problem.prompt, problem.length)
    np.testing.assert_array_equal(fresh.target_law, law)


@pytest.mark.parametrize("contract", ["chain", "multi", "generate"])
def test_what_all_checks_share_cannot_be_written_to(contract: str) -> None:
    for problems in (ladder(contract), degenerate_problems(contract)):
        for problem in problems.values():
            for law in (problem.draft, problem.target):
                tables = law.conditionals if isinstance(law, TabularModel) else (law,)
                assert not any(table.flags.writeable for table in tables)


def test_a_hanging_thread_is_asked_to_end() -> None:
    ended = threading.Event()

    def hangs(*_: Any) -> Any:
        try:
            while True:
                time.sleep(0.001)
        finally:
            ended.set()

    with pytest.raises(Crash, match=r"did not return within 0\.2 s"):
        CHAIN.ask(Subject(hangs, "numpy", 0.1, 0.2), CHAIN.inputs(1, np.random.default_rng(0)), 0)
    assert ended.wait(5)


class Lazy:
    """An array that takes for ever to be made."""

    shape = (1, 3)

    def __array__(self, *_: Any, **__: Any) -> Any:
        while True:
            time.sleep(0.001)


@pytest.mark.parametrize("result", [Lazy(), (Lazy(), Lazy()), [Lazy()]])
def test_making_the_array_that_was_returned_counts_in_the_time_of_the_call(result: Any) -> None:
    with pytest.raises(Crash, match=r"did not return within 0\.2 s"):
        CHAIN.ask(Subject(lambda *_: result, "numpy", 0.1, 0.2), CHAIN.inputs(1, np.random.default_rng(0)), 0)


def test_a_function_whose_parameters_cannot_be_asked_for_is_called_without_names() -> None:
    class Hostile:
        @property
        def __signature__(self) -> Any:
            raise RuntimeError("no signature")

        def __call__(self, *_: Any) -> Any: ...

    assert not Subject(Hostile(), "numpy", 10.0, 10.0).takes(frozenset({"seeds"}))


def test_only_the_first_call_may_take_long() -> None:
    def compiles(draft_probs: Any, target_probs: Any, draft_tokens: Any, rng: Any) -> Any:
        time.sleep(0.6)
        return token_by_token(draft_probs, target_probs, draft_tokens, rng)

    subject, inputs = Subject(compiles, "numpy", 0.5, 9.0), CHAIN.inputs(1, np.random.default_rng(0))
    CHAIN.ask(subject, inputs, 0)
    with pytest.raises(Crash, match=r"within 0\.5 s"):
        CHAIN.ask(subject, inputs, 0)


def test_standard_output_is_a_file_that_keeps_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    def prints(*_: Any) -> Any:
        sys.stdout.buffer.write(b"bytes")
        print("text", file=sys.stderr)
        assert sys.stdout.fileno() > 2
        sys.stdout.close()
        return np.full((4, 3), 0)

    subject = Subject(prints, "numpy", 10.0, 10.0)
    with pytest.raises(InvalidOutput):
        CHAIN.ask(subject, CHAIN.inputs(4, np.random.default_rng(0)), 0)
    assert subject.printed == len("bytestext\n")
    assert capfd.readouterr() == ("", "")


def test_an_id_too_large_for_an_integer_is_out_of_range() -> None:
    with pytest.raises(InvalidOutput, match=r"18446744073709551615.* out of range for emitted"):
        run(np.full((4, 3), 2**64 - 1, dtype=np.uint64))


def test_a_crash_says_on_what_and_where() -> None:
    def verify(*_: Any) -> Any:
        raise RuntimeError("no luck")

    def too_few() -> None: ...

    inputs = CHAIN.inputs(4, np.random.default_rng(0))
    with pytest.raises(
        Crash, match=r"n = 4, L = 2, V = 3 raised RuntimeError: no luck at test_sampler_under_test\.py:\d+$"
    ):
        CHAIN.ask(Subject(verify, "numpy", 10.0, 10.0), inputs, 0)
    with pytest.raises(Crash, match=r"but 4 were given$"):
        CHAIN.ask(Subject(too_few, "numpy", 10.0, 10.0), inputs, 0)


def test_an_asynchronous_function_is_named() -> None:
    async def verify(*_: Any) -> Any: ...

    with pytest.raises(InvalidOutput, match="asynchronous"):
        CHAIN.ask(Subject(verify, "numpy", 10.0, 10.0), CHAIN.inputs(4, np.random.default_rng(0)), 0)
