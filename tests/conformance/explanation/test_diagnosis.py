"""The diagnosis: the law that the data were drawn from is named, and nothing is where none of them fits."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from specproof.conformance.explanation.diagnosis import Observed, diagnose
from specproof.conformance.problems import MultiProblem
from specproof.conformance.report.finding import Verdict
from specproof.conformance.report.report import Report
from specproof.theory.distribution import Array

PROBLEM = MultiProblem([0.6, 0.2, 0.2], [0.2, 0.3, 0.5], 1)


@dataclass(frozen=True)
class Known:
    name: str
    law: Callable[[Any], Array] | None
    title: str = "a title"
    contract: str = "multi"


def mixture(share: float) -> Callable[[Any], Array]:
    """The draft accepted with this probability whatever it is, else a token of the target's."""
    return lambda problem: np.stack([(1 - share) * problem.target, share * problem.draft])


KNOWN = [Known("half", mixture(0.5)), Known("all", mixture(1.0)), Known("nothing wrong", mixture(0.0))]


def drawn(law: Array, trials: int = 20_000) -> list[Observed]:
    counts = np.random.default_rng(0).multinomial(trials, law.reshape(-1))
    return [Observed(PROBLEM, counts)]


def test_the_law_behind_the_data_is_named() -> None:
    found = diagnose(drawn(mixture(0.5)(PROBLEM)), KNOWN)
    assert (found.name, found.equivalent, found.tried) == ("half", (), 3)
    assert found.log_likelihood_ratio == np.inf  # both others exclude something that was seen
    assert str(found) == "half: a title"


def test_a_law_that_leaves_nothing_to_chance_is_named() -> None:
    always = Known("always", lambda _: np.eye(6)[0].reshape(2, 3))
    assert diagnose(drawn(np.eye(6)[0]) * 2, [always, *KNOWN]).name == "always"


def test_a_report_is_strict_json_where_a_ratio_is_infinite() -> None:
    report = Report("f", "multi", Verdict.BIASED, diagnosis=diagnose(drawn(mixture(0.5)(PROBLEM)), KNOWN))
    text = json.dumps(report.as_dict(), allow_nan=False)
    assert json.loads(text)["diagnosis"]["log_likelihood_ratio"] is None


def test_equal_laws_are_named_together() -> None:
    found = diagnose(drawn(mixture(0.5)(PROBLEM)), [*KNOWN, Known("a half again", mixture(0.5))])
    assert {found.name, *found.equivalent} == {"half", "a half again"}
    assert "same law here" in str(found)


def test_none_of_them_where_all_are_refuted() -> None:
    found = diagnose(drawn(mixture(0.4)(PROBLEM)), KNOWN)
    assert found.name == ""
    assert str(found) == "none of the 3 known defects, as parametrised in the catalogue, explains the data"


def test_a_law_without_bias_explains_no_alarm() -> None:
    assert diagnose(drawn(mixture(0.0)(PROBLEM)), KNOWN).name == ""


def test_what_has_no_law_is_counted_and_not_named() -> None:
    found = diagnose(drawn(mixture(0.5)(PROBLEM)), [Known("malformed", None), *KNOWN])
    assert (found.name, found.equivalent, found.tried) == ("half", (), 4)
    assert diagnose(drawn(mixture(0.5)(PROBLEM)), [Known("malformed", None)]).name == ""


def test_defects_of_other_contracts_are_not_asked() -> None:
    other = Known("chain defect", mixture(0.5), contract="chain")
    assert diagnose(drawn(mixture(0.5)(PROBLEM)), [other]).tried == 0


def named(*shares: float) -> list[Known]:
    return [Known(f"share {share}", mixture(share)) for share in shares]


@pytest.mark.parametrize(
    ("truth", "trials", "known", "not_excluded"),
    [
        (0.5, 4, KNOWN, "all, half"),
        (0.3, 60, KNOWN, "half"),  # the last that is not refuted, and wrong
        (0.5, 2000, named(0.5, 0.501), "share 0.5, share 0.501"),  # hardly likelier than the other
        (0.02, 2000, named(0.02, 1.0), "share 0.02"),  # hardly likelier than the target
    ],
)
def test_too_few_trials_name_nothing(truth: float, trials: int, known: list[Known], not_excluded: str) -> None:
    found = diagnose(drawn(mixture(truth)(PROBLEM), trials), known)
    assert found.name == ""
    assert set(found.possible) == set(not_excluded.split(", "))
    assert str(found) == f"the trials are too few to name a defect; not excluded: {', '.join(found.possible)}"


def test_of_many_that_are_not_excluded_three_are_told() -> None:
    found = diagnose(drawn(mixture(0.5)(PROBLEM), 100), named(0.48, 0.49, 0.5, 0.51, 0.52))
    assert len(found.possible) == 5
    assert str(found).count("share") == 3
    assert str(found).endswith(" and 2 more")


def test_equal_laws_on_one_problem_are_said_to_be_equal_on_that() -> None:
    again = [*KNOWN, Known("a half again", mixture(0.5))]
    one = drawn(mixture(0.5)(PROBLEM))[0]._replace(name="'uneven'")
    assert "(same law on 'uneven': " in str(diagnose([one], again))
    assert "(same law here: " in str(diagnose([one, one], again))
