"""Check subjects and write docs/audit.md and a page for each: ``python -m audit.audit [SUBJECT ...]``."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from time import perf_counter
from typing import Annotated

import typer
from rich.console import Console

from audit.outcome import kept_outcomes, outcome_of
from audit.registry import SUBJECTS, Subject, find
from specproof.conformance import Report, check_sampler
from specproof.conformance.stages.whole_check import EXPLAINING
from specproof.theory.errors import InvalidInput


def main(
    names: Annotated[list[str] | None, typer.Argument(help="Subjects to run again; default all.")] = None,
    out: Annotated[Path, typer.Option(help="The table; the subjects' pages are in the folder of its name.")] = Path(
        "docs/audit.md"
    ),
) -> None:
    """Run the checks, fetching the wheels that are missing."""
    try:
        chosen = [find(name) for name in names or ()] or list(SUBJECTS)
        _check_requirements()
        _check_writable(out)
        run(chosen, out)
    except InvalidInput as error:
        Console(stderr=True, soft_wrap=True).print(str(error), markup=False, highlight=False)
        raise typer.Exit(2) from None


def run(subjects: list[Subject], out: Path) -> None:
    """Check these subjects, print the reports, write each one's page, and the table anew."""
    import torch

    from audit.page import subject_page, table_page  # they import torch too

    torch.set_num_threads(1)  # for arrays this small, threads cost more than they save
    out.with_suffix("").mkdir(exist_ok=True)
    for subject in subjects:
        report, found = audit(subject)
        typer.echo(f"{report}\n")
        # The page first, as its networks and repairs take minutes: no row of the table is without one.
        _write(out.with_suffix("") / f"{subject.name}.md", list(subject_page(subject, report)))
        outcome_of(subject, report, found).keep()
        _write(out, list(table_page(kept_outcomes())))


def audit(subject: Subject) -> tuple[Report, float | None]:
    """Check one subject, and say after how many seconds something was found."""
    function, stages, began = subject.ready(), {}, perf_counter()

    def told(stage: str) -> None:
        stages[stage] = perf_counter() - began

    report = check_sampler(function, subject.contract, budget=subject.budget, progress=told)
    return report, stages.get(EXPLAINING)


def _write(path: Path, lines: list[str]) -> None:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _check_requirements() -> None:
    for name in ("torch", "transformers"):
        if find_spec(name) is None:
            raise InvalidInput(f"{name} is not installed: run pip install 'specproof[llm]'")


def _check_writable(path: Path) -> None:
    """Minutes of checks end in this file."""
    try:
        with path.open("a", encoding="utf-8"):
            pass
    except OSError as error:
        raise InvalidInput(f"cannot write {path} ({error.strerror or error}): give --out a file that can be") from None


if __name__ == "__main__":
    typer.run(main)
