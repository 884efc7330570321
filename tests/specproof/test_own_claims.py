"""Claims, figures and verifiers of a person's own: the example of specproof.claims, and what can be wrong with one."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import specproof.claims
from specproof.simulations.claims.claim import FAMILY_LEVEL, Settings


def example() -> str:
    """The file that the docstring shows."""
    text = inspect.getdoc(specproof.claims)
    assert text is not None
    return textwrap.dedent(text.partition("::\n")[2].partition("See Also")[0]).lstrip()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The current folder, which nothing imported from it outlives."""
    known = set(sys.modules)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    for name in set(sys.modules) - known:
        if str(getattr(sys.modules[name], "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def mine(folder: Path) -> Callable[..., str]:
    """Write a claims file, by default the example; its name differs from test to test."""

    def write(*changes: tuple[str, str], more: str = "") -> str:
        text = example()
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        path = folder / f"claims_{folder.name}.py"
        path.write_text(text + more)
        return path.name

    return write


@pytest.mark.parametrize("jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_the_example_of_the_docstring_runs_beside_ours(
    fake_command: Any, mine: Callable[..., str], folder: Path, jobs: int
) -> None:
    name = mine()
    outcome = fake_command("reproduce", f"{name}:CLAIM", "fake.sleepy", "--out", "out", "--jobs", jobs)
    assert (outcome.status, outcome.lines) == (0, [])
    manifest = json.loads((folder / "out" / "manifest.json").read_text())
    assert manifest["claims"] == {"fake.sleepy": "consistent", "my.exact-match": "consistent"}
    assert manifest["tests"] == {"registered": 6, "own": 1}
    assert manifest["test_level"] == pytest.approx(FAMILY_LEVEL / 7)
    assert [record["source"] for record in manifest["own"]] == [name]
    kinds = ("png", "pdf", "svg", "csv")
    assert manifest["figures"] == [f"figures/my-agreement.{kind}" for kind in kinds]
    assert f"specproof reproduce {name} fake.sleepy" in (folder / "out" / "report.html").read_text()
    table = pd.read_parquet(folder / "out" / "evidence.parquet")
    own = table[table["claim"] == "my.exact-match"]
    assert list(own["verdict"]) == ["holds", "consistent", "refuted"]
    assert set(own[own["level"] > 0]["level"]) == {FAMILY_LEVEL / 7}
    assert "my.exact-match consistent 1/1 1/1 1/1" in " ".join(outcome.out.split())


def test_all_claims_of_a_file_and_an_edit_runs_them_again(
    fake_command: Any, mine: Callable[..., str], folder: Path
) -> None:
    name = mine()
    kept = []
    for more in ("", "# edited\n"):
        mine(more=more)
        sys.modules.pop(Path(name).stem, None)
        assert fake_command("reproduce", name, "--out", "out", "--jobs", 1).status == 0
        kept.append({path.name for path in (folder / "out" / "cells" / "my.exact-match").iterdir()})
    assert [len(names) for names in kept] == [2, 4]


def test_a_dotted_name_is_looked_for_from_here(fake_command: Any, folder: Path, mine: Callable[..., str]) -> None:
    name = mine()
    assert fake_command("reproduce", f"{Path(name).stem}:CLAIM", "--out", "out", "--jobs", 1).status == 0


CHANGES: dict[str, tuple[list[tuple[str, str]], str, str]] = {
    "not a claim": ([], ":DRAFT", "'DRAFT' in {file} is a ndarray: name a Claim"),
    "no such claim": ([], ":OTHER", "{file} has no 'OTHER': name a claim that is defined there"),
    "taken id": ([('"my.exact-match"', '"fake.sleepy"')], "", "claim id 'fake.sleepy' is taken"),
    "bad id": ([('"my.exact-match"', '"my/exact match"')], "", "claim id 'my/exact match': use letters"),
    "bad figure id": ([('"figure.my-agreement"', '"../x"')], "", "figure id '../x': use letters"),
    "other claim": (
        [('Cell("my.exact-match", "exact"', 'Cell("my.other", "exact"')],
        "",
        "is said to be of 'my.other'",
    ),
    "same names": ([('"simulation", simulation', '"exact", simulation')], "", "is the name of two cells"),
    "a lambda": ([('"exact", exact)', '"exact", lambda context: exact(context))')], "", "cannot travel to a worker"),
    "not JSON": ([("settings.sized(10**5, 10**7)", "{1}")], "", "the parameters of my.exact-match/simulation are not"),
    "no findings": ([("return Findings(rows, ", "return (rows, ")], "", "my.exact-match/simulation returned a tuple"),
    "too many tests": ([(", tests=1", "")], "", "my.exact-match/simulation made 1 tests and announced 0"),
    "fails": ([("rows = []", "rows = 1 / 0")], "", "my.exact-match/simulation failed (ZeroDivisionError: division by"),
    "cells fail": ([("settings.sized", "settings.size")], "", "the cells of my.exact-match cannot be built"),
    "no cells": ([("    return [\n        Cell", "    return []\n    _ = [\n        Cell")], "", "has no cells"),
    "no table": ([('("agreement",)', '("other",)')], "", "figure.my-agreement draws table 'other', which"),
    "no figure": ([("return figure", "return axes")], "", "figure.my-agreement draws a Axes"),
    "fails to import": (
        [("import numpy as np", "import numpyy")],
        "",
        "No module named 'numpyy' by 'import numpyy' at",
    ),
    "syntax": ([("def cells(settings):", "def cells(settings:")], "", "cannot be imported (SyntaxError"),
}


@pytest.mark.parametrize("wrong", CHANGES)
def test_what_is_wrong_with_a_claim_is_one_line(fake_command: Any, mine: Callable[..., str], wrong: str) -> None:
    changes, attribute, message = CHANGES[wrong]
    name = mine(*changes)
    outcome = fake_command("reproduce", name + attribute, "--out", "out", "--jobs", 1)
    assert outcome.status == 2
    assert len(outcome.lines) == 1
    assert message.format(file=name) in outcome.lines[0]


def test_a_file_without_claims_and_no_file(fake_command: Any, folder: Path) -> None:
    (folder / "nothing_at_all.py").write_text("x = 5\n")
    for name, message in (("nothing_at_all.py", "defines no claim: write CLAIM"), ("nowhere.py", "is not a file")):
        outcome = fake_command("reproduce", name, "--out", "out")
        assert (outcome.status, len(outcome.lines)) == (2, 1)
        assert message in outcome.lines[0]


def test_a_plugin_is_loaded_and_makes_results_its_own(fake_command: Any, folder: Path) -> None:
    (folder / "my_plugin_of_a_test.py").write_text("open('loaded', 'w').close()\n")
    for words in ((), ("--plugin", "my_plugin_of_a_test.py")):
        assert fake_command("reproduce", "fake.noted", "--out", "out", "--jobs", 1, *words).status == 0
        assert (folder / "loaded").exists() == bool(words)
    assert len(list((folder / "out" / "cells" / "fake.noted").iterdir())) == 2
    outcome = fake_command("reproduce", "fake.noted", "--plugin", "nowhere.py")
    assert outcome.lines == [
        "specproof: error: nowhere.py is not a file: give the path of a .py file or the name of a module"
    ]


def test_settings_alone_can_be_used() -> None:
    assert len(Settings().prompts) > 10
    assert all(prompt["text"] for prompt in Settings().prompts)


def test_the_public_names_are_there_and_sorted() -> None:
    assert all(hasattr(specproof.claims, name) for name in specproof.claims.__all__)


RULE = """
from specproof.simulations.samplers import SAMPLERS, register_sampler
from specproof.theory.verifiers import VERIFIERS, Verifier, register_verifier

ours = VERIFIERS["kseq"]
register_verifier(Verifier("toy-of-a-plugin", "toy rule", "#777777", "x", ours.law, ours.agreement))
register_sampler("toy-of-a-plugin", SAMPLERS["kseq"])
"""


CELLS_OF_OURS = """
from specproof.own_code import load_plugin
load_plugin("my_rules.py")
from specproof.claims import Settings
from specproof.simulations.claims.spectr2023.sequences_lossless import CLAIM
print([cell.name for cell in CLAIM.cells(Settings())])
"""


@pytest.mark.slow
def test_a_verifier_of_a_plugin_is_seen_by_bound_and_claims_and_workers(folder: Path, mine: Callable[..., str]) -> None:
    """In processes of their own, as the registry keeps what it knows."""
    (folder / "my_rules.py").write_text(RULE)
    for name, law in (("p", [0.5, 0.5]), ("q", [0.1, 0.9])):
        np.save(folder / f"{name}.npy", law)
    words = ("specproof", "bound", "--draft", "p.npy", "--target", "q.npy", "--json", "--plugin", "my_rules.py")
    acceptance = json.loads(python("-m", *words))["acceptance"]
    assert acceptance["toy-of-a-plugin"] == acceptance["kseq"]
    assert "simulation-toy-of-a-plugin" in python("-c", CELLS_OF_OURS)
    known = ("rows = []", 'rows = []; from specproof.theory.verifiers import VERIFIERS; VERIFIERS["toy-of-a-plugin"]')
    python("-m", "specproof", "reproduce", mine(known), "--plugin", "my_rules.py", "--jobs", "2", "--out", "out")


def python(*words: str) -> str:
    return subprocess.run([sys.executable, *words], capture_output=True, text=True, check=True).stdout
