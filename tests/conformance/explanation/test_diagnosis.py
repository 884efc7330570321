"""The diagnosis: the law that the data were drawn from is named, and nothing is where none of them fits."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

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
