"""``specproof plan``: what it recommends, its JSON and figure, and that every mistake is one line and status two."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from traced_chains import traced

from specproof.theory.chain import random_markov_pair

PAIR = random_markov_pair(4, 2, np.random.default_rng(5), stationary=True)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a trace of two chains, where the command runs."""
    traced(*PAIR, texts=6, length=40).write(tmp_path / "trace.parquet")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_fastest_is_recommended(command: Any, folder: Path) -> None:
    outcome = command(
        "plan", "trace.parquet", "--cost", 0.05, "--num-drafts", "2,3", "--length", "1,2", "--html", "plan.html"
    )
    assert outcome.status == 0
    assert "specproof plan trace.parquet --cost 0.05" in (folder / "plan.html").read_text()
    assert "two chains: 240 tokens of 6 prompts" in outcome.out
    assert "Run " in outcome.out
    assert outcome.lines == []


def test_dear_drafts_are_not_recommended(command: Any, folder: Path) -> None:
    outcome = command("plan", "trace.parquet", "--cost", 5, "--num-drafts", "2", "--length", "2")
    assert "Decode by the target alone" in " ".join(outcome.out.split())


def test_json_holds_all_that_was_asked(command: Any, folder: Path) -> None:
    words = ("--rules", "single,priority,certain", "--num-drafts", "1,3", "--length", "2", "--tree", "2-1")
    outcome = command("plan", "trace.parquet", "--cost", 0.1, *words, "--json", "--figure", "curves.svg")
    found = json.loads(outcome.out)
    asked = [(each["rule"], each["shape"]) for each in found["configurations"]]
    assert sorted(asked) == [
        ("certain", "widths 2-1"),
        ("priority", "K = 3, L = 2"),
        ("priority", "widths 2-1"),
        ("single", "L = 2"),
    ]
    assert found["configurations"][0]["over_best"] == pytest.approx(1.0)
    assert found["simultaneous"]["critical"] > 2
    assert {row["cost"] for row in found["curves"]} >= {0.0, 0.1, 1.0}
    assert found["recommendation"]["text"].startswith("Run ")
    assert (folder / "curves.svg").read_text().startswith("<?xml")


def test_trees_are_designed_for_a_budget(command: Any, folder: Path) -> None:
    words = ("--rules", "certain,kseq", "--num-drafts", "2", "--length", "1,3", "--tree-nodes", "6")
    found = json.loads(command("plan", "trace.parquet", "--cost", 0.1, *words, "--json").out)
    widths = [each["widths"] for each in found["configurations"] if each["rule"] == "certain"]
    assert any(widths)
    assert all(np.cumprod(each).sum() <= 6 and len(each) in (0, 1, 2, 3) for each in widths)
    shapes = [each["places"] for each in found["configurations"] if each["rule"] == "certain" and not each["widths"]]
    assert [len(places) for places in shapes] == [4, 6]  # at depth 1 there are no more than the 4 tokens
    assert any(each["shape"] == "K = 2, L = 3" for each in found["configurations"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("absent.parquet", "--cost", 0.1), "trace absent.parquet cannot be read"),
        (("trace.parquet",), "give either --cost C or --measure"),
        (("trace.parquet", "--cost", 0.1, "--measure"), "give either --cost C or --measure"),
        (
            ("trace.parquet", "--measure"),
            "the trace is of two chains, whose models are not here to measure: give --cost",
        ),
        (("trace.parquet", "--cost", -1), "cost is -1.0: it must be at least 0"),
        (("trace.parquet", "--cost", 0.1, "--rules", "best"), "rule is 'best': this trace prices single, block"),
        (
            ("trace.parquet", "--cost", 0.1, "--num-drafts", "two"),
            "--num-drafts is 'two': write positive whole numbers",
        ),
        (("trace.parquet", "--cost", 0.1, "--tree-nodes", "0"), "--tree-nodes is '0': write positive whole numbers"),
        (("trace.parquet", "--cost", 0.1, "--length", "0"), "--length is '0': write positive whole numbers"),
        (
            ("trace.parquet", "--cost", 0.1, "--tree", "4,2"),
            "--tree is '4,2': write positive whole numbers, as in 4-2-1",
        ),
        (("trace.parquet", "--cost", 0.1, "--tree", "2-0"), "--tree is '2-0': write positive whole numbers"),
        (("trace.parquet", "--cost", 0.1, "--tree", ""), "--tree is '': write positive whole numbers"),
        (
            ("trace.parquet", "--cost", 0.1, "--rules", "certain", "--tree", "2-5"),
            "widths[1] is 5 in the tree widths 2-5, and 4 tokens make no more distinct children of a node: give at",
        ),
        (("trace.parquet", "--cost", 0.1, "--rules", "kseq", "--tree", "9"), "num_drafts is 9, more than the trace"),
        (("trace.parquet", "--cost", 0.1, "--num-drafts", "9"), "num_drafts is 9, more than the trace holds"),
        (("trace.parquet", "--cost", 0.1, "--length", "50"), "and a call of length 50 does not fit"),
        (("trace.parquet", "--cost", 0.1, "--draft-temperature", "0.3"), "draft_temperature is 0.3: the trace was"),
        (("trace.parquet", "--cost", 0.1, "--draft-temperature", "hot"), "--draft-temperature is 'hot': write numbers"),
        (
            ("trace.parquet", "--cost", 0.1, "--figure", "curves.gif"),
            "figure is 'curves.gif': name a file that ends in",
        ),
        # What cannot be written is told before anything is read.
        (("absent.parquet", "--cost", 0.1, "--figure", "trace.parquet/curves.png"), "cannot write to trace.parquet"),
        (("absent.parquet", "--cost", 0.1, "--html", "."), "cannot write ., which is a folder"),
        (("absent.parquet", "--cost", 0.1, "--html", "trace.parquet/page.html"), "cannot write to trace.parquet"),
    ],
)
def test_mistakes_are_one_line(command: Any, folder: Path, words: tuple[Any, ...], message: str) -> None:
    assert message in command("plan", *words).complaint
    assert sorted(path.name for path in folder.iterdir()) == ["trace.parquet"]
