"""From a failing problem to the smallest: what hypothesis finds, and what is taken from a problem step by step."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from check_budgets import QUICK
from hypothesis import given

from specproof.conformance import ChainProblem, MultiProblem, check_sampler
from specproof.conformance.explanation.shrinking import shrink
from specproof.conformance.explanation.simplification import simpler
from specproof.conformance.problems import GenerateProblem, Problem
from specproof.conformance.problems.ladder import ladder
from specproof.conformance.references import token_by_token
from specproof.conformance.report.check_result import SHRUNK
from specproof.conformance.strategies import problems


def not_equal(problem: Problem, distance: float = 0.3) -> bool:
    return 0.5 * np.abs(problem.draft_law - problem.target_law).sum() > distance


def test_the_smallest_failing_problem_is_found_and_the_given_one_kept_if_time_is_up() -> None:
    large = MultiProblem([0.4, 0.3, 0.2, 0.1], [0.1, 0.2, 0.3, 0.4], 4)
    small = shrink(large, not_equal, seconds=60.0, candidates=300, seed=0)
    assert small.num_tokens == 2
    assert not_equal(small)
    assert shrink(large, not_equal, seconds=0.0, candidates=300, seed=0) is large
    assert shrink(large, lambda problem: False, seconds=60.0, candidates=20, seed=0) is large


@given(problems())
def test_each_step_leads_to_a_problem_with_laws_over_the_same_contract(problem: Problem) -> None:
    for step in simpler(problem):
        assert step.contract == problem.contract
        assert step.target_law.sum() == pytest.approx(1)
        assert step.target_law.size <= problem.target_law.size


@pytest.mark.slow
def test_what_hypothesis_does_not_draw_is_polished_from_the_problem_of_the_alarm() -> None:
    """Its problems draft three tokens at most; this fails from four on, where the draft is another than the target."""

    def fails(problem: Problem) -> bool:
        return isinstance(problem, ChainProblem) and problem.length >= 4 and not_equal(problem, 0.2)

    found = shrink(ladder("chain")["five drafts"], fails, seconds=60.0, candidates=300, seed=0)
    assert isinstance(found, ChainProblem)
    assert (found.length, found.num_tokens) == (4, 2)
    assert fails(found)
    assert " | " not in found.describe()  # nothing is remembered
    assert len(found.describe()) < 200


def test_a_prompt_and_its_memory_go_where_they_do_not_matter() -> None:
    problem = ladder("generate")["longer"]
    assert isinstance(problem, GenerateProblem)
    kept = [step for step in simpler(problem) if isinstance(step, GenerateProblem) and len(step.prompt) == 1]
    np.testing.assert_array_equal(kept[0].target_law, problem.target_law)


@pytest.mark.slow
def test_a_fault_that_takes_four_drafts_is_shown_on_four() -> None:
    def accepts_from_the_fourth_on(draft_probs: Any, target_probs: Any, draft_tokens: Any, rng: Any) -> Any:
        shown = draft_probs.copy()
        shown[:, 3:] = 1e-9  # a draft law so small accepts everything
        return token_by_token(shown, target_probs, draft_tokens, rng)

    report = check_sampler(accepts_from_the_fourth_on, budget=replace(QUICK, candidates=100))
    assert report.instance is not None
    assert report.instance.name == SHRUNK
    assert isinstance(report.instance.problem, ChainProblem)
    assert report.instance.problem.length == 4
    assert report.instance.total_variation > 0


def test_nothing_is_left_in_the_current_folder(tmp_path: Path) -> None:
    module = tmp_path / "ordinary_subject.py"
    module.write_text("NUMBER = 12345\n")  # hypothesis looks for constants in such files
    code = (
        "import sys\nsys.path.insert(0, '.')\nsys.dont_write_bytecode = True\nimport ordinary_subject\n"
        "from hypothesis import configuration\n"
        "from specproof.conformance.explanation.shrinking import shrink\n"
        "from specproof.conformance.problems.ladder import ladder\n"
        "configuration.set_hypothesis_home_dir('elsewhere')\n"
        "problem = ladder('multi')['three tokens, k = 1']\n"
        "print(shrink(problem, lambda it: False, seconds=60.0, candidates=200, seed=0).num_tokens)\n"
        "print(configuration.storage_directory('kept').path.as_posix())\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["3", "elsewhere/kept"]
    assert list(tmp_path.iterdir()) == [module]
