"""Texts that end early, that must not end too early, and rows of different temperatures."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from check_budgets import QUICK
from rounds_alone import found_in_rounds

from specproof.conformance import GenerateProblem, Verdict, check_sampler
from specproof.conformance.asked_loops import as_asked
from specproof.conformance.defects import DEFECTS
from specproof.conformance.problems.ladder import ladder
from specproof.conformance.problems.text_settings import TextSettings
from specproof.conformance.references import speculate
from specproof.conformance.report.finding import Detector
from specproof.conformance.subject.failures import InvalidOutput
from specproof.theory.chain import TabularModel
from specproof.theory.errors import InvalidInput

EVEN = TabularModel([[0.25, 0.75], [[0.25, 0.75], [0.25, 0.75]]])
ASKED = as_asked(speculate)


def of(settings: TextSettings) -> GenerateProblem:
    return GenerateProblem(EVEN, EVEN, (), 2, settings)


def test_the_law_of_texts_that_end_fills_up_what_follows_the_end() -> None:
    np.testing.assert_allclose(of(TextSettings(end=0)).target_law, [[0.25, 0.0], [0.1875, 0.5625]])


def test_the_end_is_impossible_before_the_least_length() -> None:
    np.testing.assert_allclose(of(TextSettings(end=0, least=1)).target_law, [[0.0, 0.0], [0.25, 0.75]])


def test_greedy_rows_have_the_likeliest_text_and_half_of_the_mass() -> None:
    law = of(TextSettings(temperatures=(0.0, 1.0))).target_law
    np.testing.assert_allclose(law[0], [[0.0, 0.0], [0.0, 0.5]])
    np.testing.assert_allclose(law[1], 0.5 * EVEN.joint())


@pytest.mark.parametrize("name", list(ladder("generate"))[-6:])
def test_a_loop_that_does_as_it_is_asked_is_lossless(name: str) -> None:
    assert check_sampler(ASKED, "generate", budget=QUICK, problem=name).is_lossless


@pytest.mark.parametrize(
    "name", [pytest.param("cache-wraps", marks=pytest.mark.slow), "min-length-ignored", "first-rows-temperature"]
)
def test_what_is_wrong_is_seen(name: str) -> None:
    defect = next(entry for entry in DEFECTS if entry.name == name)
    report = check_sampler(defect.sampler, "generate", budget=QUICK, problem=defect.witness)
    assert report.verdict is Verdict.BIASED
    if name == "first-rows-temperature":  # the law of a row is the call's: no law of trials by themselves explains it
        assert report.diagnosis is None
        assert Detector.BATCH in {finding.detector for finding in report.findings}
        assert report.instance is None or report.instance.total_variation == 0
    else:
        assert report.diagnosis is not None
        assert name in (report.diagnosis.name, *report.diagnosis.equivalent)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda texts: np.where(texts < 0, 0, texts), "goes on after the end token 1"),
        (lambda texts: np.full_like(texts, -1), "ends without the end token 1"),
    ],
)
def test_texts_that_are_not_well_formed_are_named(change: Any, said: str) -> None:
    def generate(*arguments: Any, end_token: int | None = None) -> Any:
        return change(ASKED(*arguments, end_token=end_token))

    report = check_sampler(generate, "generate", budget=QUICK, problem="texts that end")
    assert report.verdict is Verdict.INVALID
    assert said in report.reason


def test_a_greedy_row_whose_third_token_is_sampled_is_seen() -> None:
    """As the bonus token of a round of two drafts is where only verified rows have the row's temperature."""

    def generate(*arguments: Any, temperatures: Any = None) -> Any:
        asked, sampled = ASKED(*arguments, temperatures=temperatures), speculate(*arguments)
        return np.where((np.arange(asked.shape[1]) >= 2) & (temperatures == 0)[:, np.newaxis], sampled, asked)

    report = check_sampler(generate, "generate", budget=QUICK, problem="greedy and sampled rows")
    assert report.verdict is Verdict.BIASED


def overlooked_in(place: int) -> Any:
    """The end token is overlooked in one place, such as that of a bonus token, and the text goes on."""

    def generate(*arguments: Any, end_token: int | None = None) -> Any:
        texts = speculate(*arguments)
        is_end = (texts == end_token) & (np.arange(texts.shape[1]) != place)
        return np.where(np.cumsum(is_end, axis=1) - is_end > 0, -1, texts)

    return generate


def later_are_sampled(*arguments: Any, temperatures: Any = None, **asked: Any) -> Any:
    """From the fifth token on, greedy rows are sampled."""
    texts, sampled = ASKED(*arguments, temperatures=temperatures, **asked), ASKED(*arguments, **asked)
    reached = (sampled[:, 4:5] >= 0).any(axis=1)
    later = (np.arange(texts.shape[1]) >= 4) & (reached & (temperatures == 0))[:, np.newaxis]
    return np.where(later, sampled, texts)


def temperatures_shift(*arguments: Any, temperatures: Any = None, end_token: int | None = None, **asked: Any) -> Any:
    """Rows after one that ended first have its temperature, as if it had left the batch and its temperature not."""
    texts = ASKED(*arguments, temperatures=temperatures, end_token=end_token, **asked)
    again = ASKED(*arguments, temperatures=np.roll(temperatures, 1), end_token=end_token, **asked)
    before = np.roll((texts == end_token).any(axis=1), 1) & (end_token is not None)
    return np.where(before[:, np.newaxis], again, texts)


def no_least_length_of_greedy_rows(*arguments: Any, min_length: int = 0, temperatures: Any = None, **asked: Any) -> Any:
    texts = ASKED(*arguments, min_length=min_length, temperatures=temperatures, **asked)
    short = ASKED(*arguments, temperatures=temperatures, **asked)
    return np.where((temperatures == 0)[:, np.newaxis], short, texts)


def end_in_the_prompt(*arguments: Any, end_token: int | None = None) -> Any:
    texts = ASKED(*arguments, end_token=end_token)
    if end_token in arguments[2]:
        texts[:, 0], texts[:, 1:] = end_token, -1
    return texts


def told_all(loop: Any) -> Any:
    """A loop by name of each parameter, as those that take any are handed none."""

    def generate(*arguments: Any, end_token: Any = None, min_length: Any = 0, temperatures: Any = None) -> Any:
        each = np.ones(arguments[4]) if temperatures is None else temperatures
        return loop(*arguments, end_token=end_token, min_length=min_length, temperatures=each)

    return generate


@pytest.mark.parametrize("place", [2, 4])
def test_an_end_that_is_overlooked_in_a_bonus_token_s_place_is_seen(place: int) -> None:
    with pytest.raises(InvalidOutput, match="goes on after the end token 0"):  # which is that of long texts
        found_in_rounds(overlooked_in(place), "generate", rounds=1)


@pytest.mark.parametrize(
    ("loop", "problem"),
    [
        (end_in_the_prompt, "long texts that end"),
        (told_all(later_are_sampled), "greedy and sampled rows of long texts that end"),
        (told_all(temperatures_shift), "greedy and sampled rows of long texts that end"),
        (told_all(no_least_length_of_greedy_rows), "greedy and sampled rows of long texts that end"),
    ],
    ids=["prompt", "later", "shift", "least"],
)
def test_what_is_wrong_where_settings_meet_is_seen(loop: Any, problem: str) -> None:
    assert problem in [finding.problem for finding in found_in_rounds(loop, "generate", rounds=1)]


def test_a_loop_without_the_parameters_is_not_asked() -> None:
    report = check_sampler(speculate, "generate", budget=QUICK, problem="texts that end, not before three tokens")
    assert report.verdict is Verdict.INCONCLUSIVE
    assert "it has no parameter end_token and min_length" in " ".join(report.notes)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        (TextSettings(end=2), "settings.end is 2"),
        (TextSettings(least=1), "settings.least is 1"),
        (TextSettings(temperatures=(0.5,)), "settings.temperatures"),
    ],
)
def test_what_no_text_can_have_is_refused(settings: TextSettings, named: str) -> None:
    with pytest.raises(InvalidInput, match=named):
        of(settings)
