"""``specproof check`` on the examples, and on what is no sampler."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.py"))


def words(example: Path) -> list[object]:
    contract = example.stem.partition("_")[0]
    function = "generate" if contract == "generate" else "verify"
    return ["check", f"{example}:{function}", "--contract", contract]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_examples_are_what_their_names_say(command: Any, example: Path) -> None:
    outcome = command(*words(example), "--json")
    report = json.loads(outcome.out)
    lossless = example.stem.endswith("lossless")
    assert report["verdict"] == ("lossless" if lossless else "biased")
    assert outcome.status == (0 if lossless else 1)
    assert report["level"] == 1e-6
    assert bool(report["instance"]) is not lossless
    assert outcome.err == ""


def test_there_are_five_broken_examples_of_every_contract() -> None:
    broken = [path.stem for path in EXAMPLES if not path.stem.endswith("lossless")]
    assert len(broken) == 5
    assert {name.partition("_")[0] for name in broken} == {"chain", "multi", "generate"}


def test_the_report_for_people_names_what_matters(command: Any) -> None:
    example = next(path for path in EXAMPLES if path.stem == "chain_residual_skipped")
    outcome = command(*words(example), "--seed", 3)
    assert outcome.status == 1
    for said in ("biased", "Smallest failing instance", "Total variation at least", "Diagnosis: replaced-from-target"):
        assert said in outcome.out
    assert "no lossless sampler exceeds" in outcome.out


def test_what_a_function_prints_does_not_mix_with_json(command: Any, tmp_path: Path) -> None:
    path = tmp_path / "loud_subject.py"
    path.write_text("print('imported')\ndef verify(*_):\n    print('called')\n    raise RuntimeError('no\\nluck')\n")
    outcome = command("check", f"{path}:verify", "--json")
    report = json.loads(outcome.out)
    assert (outcome.status, report["verdict"]) == (1, "crashes")
    assert "RuntimeError: no luck" in report["reason"]


@pytest.mark.parametrize(
    "words",
    [
        ["no_such_module_anywhere:verify"],
        ["verify"],
        ["{example}:nothing"],
        ["{example}:verify", "--level", "2"],
        ["{example}:verify", "--time-limit", "0"],
        ["{example}:verify", "--contract", "tree"],
        ["{example}:verify", "--seed", "-1"],
    ],
)
def test_mistakes_are_one_line_and_status_two(command: Any, words: list[str]) -> None:
    outcome = command("check", *(word.format(example=EXAMPLES[0]) for word in words))
    assert (outcome.status, outcome.out) == (2, "")
    assert outcome.err.startswith("specproof: error: ")
    assert outcome.err.count("\n") == 1
