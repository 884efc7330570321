"""The contract round: drafting and verifying once, after prefixes that the target has drawn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from check_budgets import QUICK

from specproof.conformance import RoundProblem, Verdict, check_sampler
from specproof.conformance.defects import DEFECTS
from specproof.conformance.defects.shared_noise import by_old_clocks
from specproof.conformance.problems.ladder import ladder
from specproof.conformance.references import round_until_unsure
from specproof.theory.chain import TabularModel
from specproof.theory.errors import InvalidInput

MODEL = TabularModel([[0.5, 0.5], [[0.5, 0.5], [0.5, 0.5]]])


def test_stopping_decided_by_earlier_tokens_is_lossless() -> None:
    assert check_sampler(round_until_unsure, "round", budget=QUICK).is_lossless


@pytest.mark.parametrize(
    "name",
    [
        "drafts-dropped-by-value",
        "draft-uniform-reused",
        *(pytest.param(it, marks=pytest.mark.slow) for it in ("warped-draft-undeclared", "gumbel-noise-reused")),
    ],
)
def test_what_is_wrong_is_named(name: str) -> None:
    defect = next(entry for entry in DEFECTS if entry.name == name)
    report = check_sampler(defect.sampler, "round", budget=QUICK)
    assert report.verdict is Verdict.BIASED
    assert report.diagnosis is not None
    assert report.diagnosis.name == name


def test_drafts_dropped_by_their_value_emit_what_was_worked_out_by_hand() -> None:
    defect = next(entry for entry in DEFECTS if entry.name == "drafts-dropped-by-value")
    problem = ladder("round")["one draft"]
    assert defect.law is not None
    np.testing.assert_allclose(problem.completed(defect.law(problem)).sum(axis=1), [0.65, 0.35], atol=1e-12)


def test_a_residual_of_one_token_hides_noise_that_is_used_twice() -> None:
    problem = ladder("round")["one draft"]
    for defect in (entry for entry in DEFECTS if entry.name in ("gumbel-noise-reused", "draft-uniform-reused")):
        assert defect.law is not None
        np.testing.assert_allclose(problem.completed(defect.law(problem)), problem.target_law, atol=1e-12)


def test_old_clocks_prefer_what_was_hardly_drafted() -> None:
    law = by_old_clocks(np.array([0.5, 0.5, 0.0]), np.array([0.0, 0.75, 0.25]), np.array(0))
    # The clocks of 1 and 2 read M/2 + X and X', both at the speed 1/2: P(X' < M/2 + X) = 1 - 1/2 E[e^(-M/2)] = 2/3.
    np.testing.assert_allclose(law, [0, 1 / 3, 2 / 3], atol=1e-12)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda rows: rows[:, 0], "emitted is no array of shape"),
        (lambda rows: np.pad(rows, ((0, 0), (0, 9)), constant_values=-1), "its shape must be"),
        (lambda rows: rows + 7, "is out of range"),
        (lambda rows: np.full_like(rows, -1), "begins with -1"),
    ],
)
def test_a_broken_contract_is_named(change: Any, said: str) -> None:
    report = check_sampler(lambda *given: change(round_until_unsure(*given)), "round", budget=QUICK)
    assert report.verdict is Verdict.INVALID
    assert said in report.reason


def test_fewer_columns_than_could_be_are_well_formed() -> None:
    def one_token(draft: Any, target: Any, prefix: Any, length: int, rng: Any) -> Any:
        return round_until_unsure(draft, target, prefix, length, rng)[:, :1]

    assert check_sampler(one_token, "round", budget=QUICK).is_lossless


@pytest.mark.parametrize(("prefix", "named"), [(1, "leave no draft"), (-1, "prefix is -1")])
def test_what_is_no_round_is_refused(prefix: int, named: str) -> None:
    with pytest.raises(InvalidInput, match=named):
        RoundProblem(MODEL, MODEL, prefix)
