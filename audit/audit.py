"""Check every subject and write docs/audit.md: ``python -m audit.audit``. With names, check those and print."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from audit.registry import SUBJECTS, Subject, find
from specproof.conformance import DEFAULT, Report, check_sampler
from specproof.theory.errors import InvalidInput


def main(
    names: Annotated[list[str] | None, typer.Argument(help="Subjects; default all, into the document.")] = None,
    seconds: Annotated[float, typer.Option(help="For each check.")] = DEFAULT.seconds,
    out: Annotated[Path, typer.Option(help="The document.")] = Path("docs/audit.md"),
) -> None:
    """Run the checks, fetching the wheels that are missing."""
    try:
        chosen = [find(name) for name in names or ()] or list(SUBJECTS)
        _check_requirements()
        if not names:
            _check_writable(out)
        run(chosen, seconds, None if names else out)
    except InvalidInput as error:
        Console(stderr=True, soft_wrap=True).print(str(error), markup=False, highlight=False)
        raise typer.Exit(2) from None


def run(subjects: list[Subject], seconds: float, out: Path | None) -> None:
    """Check these subjects and print the reports; write the document, or print what else is known of them."""
    from audit.page import document, network_lines, repair_lines  # they import torch

    reports = []
    for subject in subjects:
        reports.append((subject, audit(subject, seconds)))
        typer.echo(f"{reports[-1][1]}\n")
    if out is not None:
        out.write_text("\n".join(document(reports, seconds)) + "\n", encoding="utf-8")
        return
    for line in (*network_lines(subjects), *repair_lines(subjects, seconds)):
        typer.echo(line)


def audit(subject: Subject, seconds: float) -> Report:
    """Check one subject, as ``specproof check`` does with the line that the page gives."""
    return check_sampler(subject.ready(), subject.contract, time_limit=seconds * subject.patience)


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
