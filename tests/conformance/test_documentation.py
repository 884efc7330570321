"""Every block of Python in the pages on the kit runs as printed; each asserts the verdict that the page gives."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from check_budgets import LONGER

DOCS = Path(__file__).parents[2] / "docs"
PAGES = {"conformance.md": 7, "in-your-ci.md": 4}
"""The pages, with the number of blocks on each."""
NEEDED = re.findall(
    r"pip install (array-api-compat [^\n]*typer)( pytest)?\n", (DOCS / "in-your-ci.md").read_text(encoding="utf-8")
)
"""The packages of the kit alone, and those of the workflow, which makes a page."""


def blocks(page: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL)


def marks(test: Any, name: str) -> list[pytest.Mark]:
    return [mark for mark in getattr(test, "pytestmark", []) if mark.name == name]


def cost(block: str) -> tuple[pytest.MarkDecorator, ...]:
    """An adapter that loops over trials takes its time."""
    return (pytest.mark.slow,) if "seconds=300" in block else ()


BLOCKS = [
    pytest.param(block, marks=cost(block), id=f"{page}-{index}")
    for page in PAGES
    for index, block in enumerate(blocks(page))
]


@pytest.mark.parametrize("block", BLOCKS)
def test_the_block_runs(block: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("specproof.conformance.arguments.DEFAULT", LONGER)  # in place of the seconds a reader spends
    if "import torch" in block:
        pytest.importorskip("torch")
    names: dict[str, Any] = {}
    exec(compile(block, "a block of the page", "exec"), names)
    tests = [value for name, value in names.items() if name.startswith("test_")]
    assert tests or "assert" in block
    for test in tests:
        must_fail = [mark.kwargs["raises"] for mark in marks(test, "xfail")]
        asked = [problem.id for mark in marks(test, "parametrize") for problem in mark.args[1][:1]]
        with pytest.raises(must_fail[0]) if must_fail else contextlib.nullcontext():
            test(*asked)


@pytest.mark.parametrize("page", PAGES)
def test_there_are_as_many_blocks_as_the_page_shows(page: str) -> None:
    assert len(blocks(page)) == (DOCS / page).read_text(encoding="utf-8").count("```python") == PAGES[page]


WITH_THESE_ALONE = """
import re
import sys
from importlib.machinery import PathFinder
from importlib.metadata import packages_distributions, requires

def with_requirements(names):
    found = set()
    while names:
        name = names.pop().lower()
        if name not in found:
            found.add(name)
            names += [re.match("[A-Za-z0-9._-]+", each)[0] for each in requires(name) or () if ";" not in each]
    return found

ALLOWED, OWNERS = with_requirements(sys.argv[1].split()) | {"specproof"}, packages_distributions()

class Lean(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        owners = OWNERS.get(name.partition(".")[0])
        barred = path is None and owners and not ALLOWED & {owner.lower() for owner in owners}
        return None if barred else PathFinder.find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = Lean
from specproof.conformance import Budget, check_sampler
from specproof.conformance.references import token_by_token
from specproof.cli import check

report = check_sampler(token_by_token, budget=Budget(200, 1, 5, 20, 60.0))
if sys.argv[2:]:
    from pathlib import Path

    from specproof.cli.options import require_page
    from specproof.report.check_page import check_page
    from specproof.report.page import write_page

    page = Path(sys.argv[2])
    require_page(page)
    write_page(page, check_page(report, ["specproof", "check"]))
print(report.findings, "pandas" in sys.modules)
"""


@pytest.mark.parametrize("with_page", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_no_other_packages_are_needed_than_the_page_says(with_page: bool, tmp_path: Path) -> None:
    (kit, _), (workflow, _) = NEEDED
    words = [workflow, str(tmp_path / "check.html")] if with_page else [kit]
    ran = subprocess.run([sys.executable, "-c", WITH_THESE_ALONE, *words], capture_output=True, text=True)
    assert (ran.stdout, ran.returncode) == ("() False\n", 0), ran.stderr
    assert (tmp_path / "check.html").exists() == with_page
