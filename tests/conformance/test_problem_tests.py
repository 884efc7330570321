"""One pytest test for each problem: names, expected failures that must fail, and a level that is shared."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from check_budgets import QUICK

from specproof.conformance import NotLossless, assert_lossless, check_sampler, parametrize_with_problems
from specproof.conformance.problems.ladder import ladder
from specproof.conformance.references import select
from specproof.theory.errors import InvalidInput

FIRST = next(iter(ladder("multi")))


def first_draft(draft_probs: Any, target_probs: Any, draft_tokens: Any, rng: Any) -> Any:
    return draft_tokens[:, 0], np.zeros(len(draft_tokens), dtype=int)


def single(draft_probs: Any, target_probs: Any, draft_tokens: Any, rng: Any) -> Any:
    return select("single", draft_probs, target_probs, draft_tokens, rng)


def test_each_problem_of_the_ladder_is_one_test() -> None:
    mark = parametrize_with_problems("multi", expected_failures={FIRST: "a known fault"})
    name, problems = mark.args
    assert name == "problem"
    assert [parameter.id for parameter in problems] == [
        it for it, asked in ladder("multi").items() if not asked.required
    ]
    expected = problems[0].marks[0]
    assert (expected.name, expected.kwargs) == (
        "xfail",
        {"raises": NotLossless, "strict": True, "reason": "a known fault"},
    )
    assert not any(parameter.marks for parameter in problems[1:])


def test_one_problem_is_checked_alone() -> None:
    asked: set[tuple[int, ...]] = set()

    def listens(draft_probs: Any, target_probs: Any, draft_tokens: Any, rng: Any) -> Any:
        asked.add((draft_tokens.shape[1], target_probs.shape[-1]))
        return single(draft_probs, target_probs, draft_tokens, rng)

    report = assert_lossless(listens, "multi", problem=FIRST, budget=QUICK)
    assert report.hardest == FIRST
    assert len(asked) == 1
    with pytest.raises(NotLossless):
        assert_lossless(first_draft, "multi", problem=FIRST, budget=QUICK)


def test_progress_is_told_before_each_stage() -> None:
    told: list[str] = []
    check_sampler(single, "multi", problem=FIRST, budget=QUICK, progress=told.append)
    assert told[0] == "calling every problem"
    assert told[-2:] == ["running degenerate problems", "running ordinary rows beside degenerate ones"]
    with pytest.raises(InvalidInput, match="progress cannot be told"):
        check_sampler(single, "multi", isolate=True, progress=told.append)


@pytest.mark.parametrize("reasons", [{"no such problem": "why"}, {FIRST: ""}, {FIRST: 3}])
def test_expected_failures_name_problems_and_say_why(reasons: Any) -> None:
    with pytest.raises(InvalidInput, match="expected_failures"):
        parametrize_with_problems("multi", expected_failures=reasons)


@pytest.mark.parametrize("reasons", [[FIRST], FIRST, {FIRST}, 3, [(FIRST, "why"), 4], []])
def test_expected_failures_are_a_mapping(reasons: Any) -> None:
    with pytest.raises(InvalidInput, match=r"^expected_failures is .*: give a mapping of names to reasons$"):
        parametrize_with_problems("multi", expected_failures=reasons)


def test_a_problem_that_is_not_of_the_contract_is_refused() -> None:
    with pytest.raises(InvalidInput, match="problem is 'nowhere': it must be one of"):
        check_sampler(single, "multi", problem="nowhere")
