"""One report as text: in full for the terminal, in short for a failing test, and in plain values."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from specproof.conformance import Contract, Detector, Finding, MultiProblem, Report, Verdict
from specproof.conformance.report.check_result import SHRUNK, Acceptance, Diagnosis, Instance
from specproof.conformance.report.text import full, plain, short

PROBLEM = MultiProblem(np.array([1.0, 0.0]), np.array([0.5, 0.5]), 2)
REPORT = Report(
    subject="my_engine/sampler.py:verify",
    contract=Contract.MULTI,
    verdict=Verdict.BIASED,
    findings=(
        Finding(Verdict.BIASED, Detector.LAW, "two", "the law is [wrong]"),
        Finding(Verdict.INVALID, Detector.DEGENERATE, "three", "a token is out of range"),
    ),
    notes=("it prints",),
    instance=Instance(PROBLEM, SHRUNK, 4000, {"0": 0.5, "1": 0.5}, {"0": 1.0, "1": 0.0}, 0.25),
    acceptance=(Acceptance("two", 0.9, 0.8, 1.0, 0.5, 4000),),
    diagnosis=Diagnosis("always-first", "the first draft is accepted without a test", math.inf, (), 8),
    detectable_bias=math.inf,
    hardest="two",
    detectable_bias_in_small_batches={"1": 0.5, "2": math.inf},
    level=1e-6,
    trials=12_000,
    calls=30,
)
SHORT = """\
biased  my_engine/sampler.py:verify  (contract multi)
  biased the law is [wrong]  [law]
  invalid output a token is out of range  [degenerate]

Smallest failing instance (found by shrinking):
draft  (1, 0)
target (1/2, 1/2)
drafts 2
Total variation at least 0.25, at level 1e-06.

Diagnosis: always-first: the first draft is accepted without a test
note it prints"""


def test_the_short_form_is_what_a_failing_test_prints() -> None:
    said = [line for line in short(REPORT).splitlines() if not line or line[0] not in "┏┃┡│└4"]
    assert said == SHORT.splitlines()
    assert short(REPORT) == str(REPORT)
    assert "4,000 trials" in short(REPORT)


def test_what_could_not_have_been_seen_at_all_is_any_bias() -> None:
    nothing = replace(REPORT, verdict=Verdict.INCONCLUSIVE, findings=())
    assert "too few: any bias on 'two' could have escaped" in nothing.reason
    assert "too few: a total variation of 0.3 on 'two' could have" in replace(nothing, detectable_bias=0.3).reason


def test_a_rare_outcome_is_not_rounded_away() -> None:
    instance = Instance(PROBLEM, SHRUNK, 4000, {"0": 5e-7, "1": 0.5}, {"0": 3e-4, "1": 0.0}, 0.0)
    said = short(replace(REPORT, instance=instance))
    assert [line for line in said.splitlines() if line.startswith("│")] == [
        "│ 0      │ 5.0e-07 │ 3.0e-04 │",
        "│ 1      │ 0.5000  │ 0.0000  │",
    ]


def test_the_full_form_says_all_of_it_and_more() -> None:
    said = plain(full(REPORT, verbose=True))
    at = [said.index(line) for line in SHORT.splitlines() if line]
    assert at == sorted(at)
    for more in (
        "4,000 trials",
        "How often some draft is accepted",
        "0.9000",
        "12,000 trials in 30 calls, 0.0 s, seed 0",
    ):
        assert more in said
    assert "A lossless sampler fails with probability at most 1e-06." in said


def test_one_trial_in_one_call_is_not_many() -> None:
    assert "\n1 trial in 1 call, 0.0 s" in plain(full(replace(REPORT, trials=1, calls=1)))


def test_lossless_is_said_with_what_could_have_been_seen() -> None:
    detectable = {"detectable_bias": 0.0183, "detectable_bias_on_all_problems": 0.004}
    report = Report("f", Contract.CHAIN, Verdict.LOSSLESS, hardest="two", **detectable)  # type: ignore[arg-type]
    said = "up to a total variation of 0.004 on every problem, 0.018 on one alone"
    assert short(report).splitlines()[0] == f"lossless  f  (contract chain), {said}"
    assert "How often" not in plain(full(report))


def test_plain_values_are_strict_json_with_names_in_the_place_of_members() -> None:
    values = json.loads(json.dumps(REPORT.as_dict(), allow_nan=False))
    assert values["findings"][1] == {
        "verdict": "invalid output",
        "detector": "degenerate",
        "problem": "three",
        "text": "a token is out of range",
    }
    assert values["detectable_bias"] == {
        "total_variation": None,
        "probability": 0.99,
        "hardest": "two",
        "all_problems": None,
        "degenerate_problems": None,
        "small_batches": {"1": 0.5, "2": None},
    }
    assert values["diagnosis"]["log_likelihood_ratio"] is None
    assert values["instance"]["problem"] == PROBLEM.describe()
    assert all(type(value) is str for value in (values["contract"], values["verdict"]))


@pytest.mark.parametrize("as_json", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_a_reader_that_leaves_early_changes_nothing(as_json: bool) -> None:
    code = (
        "from specproof.conformance import Report, Verdict\n"
        "from specproof.conformance.report.terminal import show\n"
        f"show(Report('f', 'chain', Verdict.INCONCLUSIVE, notes=('n' * 10**6,)), as_json={as_json})\n"
    )
    words = [sys.executable, "-c", code]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == ""
    assert process.returncode == 0


def test_nothing_is_said_of_costs_that_are_not_known() -> None:
    told = "A lossless sampler fails with probability at most"
    assert told in plain(full(REPORT))
    ended = plain(full(replace(REPORT, calls=0, trials=0)))
    assert told not in ended
    assert "trials in" not in ended
