"""Drafts of one position, however they are drawn: their law, the best acceptance, and who is asked."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from check_budgets import QUICK

from specproof.conformance import Drafting, MultiProblem, Verdict, check_sampler
from specproof.conformance.defects import DEFECTS
from specproof.conformance.problems.drafting import chance_of, draw_drafts, largest_acceptance
from specproof.conformance.references import select, select_however_drawn
from specproof.simulations.statistics import check_law
from specproof.theory.errors import InvalidInput
from specproof.theory.transport.different import optimal_acceptance_different

DRAFT, TARGET = np.array([0.5, 0.2, 0.3]), np.array([0.1, 0.6, 0.3])


@pytest.mark.parametrize("drafting", Drafting)
def test_what_is_drawn_has_the_chance_that_is_told(drafting: Drafting) -> None:
    drafts = draw_drafts(drafting, DRAFT, 20_000, 2, np.random.default_rng(0))
    every = np.indices((3, 3)).reshape(2, -1).T
    law = chance_of(drafting, np.broadcast_to(DRAFT, (9, 3)), every)
    assert law.sum() == pytest.approx(1.0, abs=1e-12)
    assert not check_law(drafts @ np.array([3, 1]), law, 1e-9).is_refuted


def test_the_likeliest_come_first_and_the_last_of_the_top_is_drawn_from_the_others() -> None:
    rng = np.random.default_rng(1)
    assert draw_drafts(Drafting.CERTAIN, DRAFT, 1, 3, rng).tolist() == [[0, 2, 1]]
    top = draw_drafts(Drafting.TOP, DRAFT, 500, 2, rng)
    assert set(top[:, 0]) == {0}
    assert set(top[:, 1]) == {1, 2}


def test_the_best_acceptance_of_the_likeliest_and_one_drawn_is_an_optimal_transport() -> None:
    laws = np.array([[1.0, 0.0, 0.0], [0.0, 0.4, 0.6]])
    expected = float(optimal_acceptance_different(laws, TARGET))
    assert largest_acceptance(Drafting.TOP, DRAFT, TARGET, 2) == pytest.approx(expected, abs=1e-12)
    assert largest_acceptance(Drafting.CERTAIN, DRAFT, TARGET, 2) == pytest.approx(0.4, abs=1e-12)


def test_a_rule_for_each_way_of_drawing_is_lossless() -> None:
    assert check_sampler(select_however_drawn, "multi", budget=QUICK).is_lossless


@pytest.mark.parametrize(
    "name",
    [
        "distinct-drafts-as-independent",
        "certain-drafts-by-ratio",
        "last-draft-by-whole-law",
        "certain-draft-replaced-from-target",
    ],
)
def test_what_is_wrong_is_named(name: str) -> None:
    defect = next(entry for entry in DEFECTS if entry.name == name)
    report = check_sampler(defect.sampler, "multi", budget=QUICK, problem=defect.witness)
    assert report.verdict is Verdict.BIASED
    assert report.diagnosis is not None
    assert name in (report.diagnosis.name, *report.diagnosis.equivalent)


def test_a_verifier_without_a_parameter_for_it_is_asked_for_independent_drafts_alone() -> None:
    def verify(*arguments: Any) -> Any:
        return select("recursive", *arguments)

    name = "three tokens, k = 2, distinct"
    report = check_sampler(verify, "multi", budget=QUICK, problem=name)
    assert report.verdict is Verdict.INCONCLUSIVE
    assert f"it has no parameter drawn, without which '{name}' cannot be asked" in report.notes


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: MultiProblem(DRAFT, TARGET, 2, "sorted"), "drafting is 'sorted'"),
        (lambda: MultiProblem(DRAFT, TARGET, 4, "distinct"), "num_drafts is 4"),
    ],
)
def test_what_cannot_be_drawn_is_refused(make: Any, named: str) -> None:
    with pytest.raises(InvalidInput, match=named):
        make()
