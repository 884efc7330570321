"""Check every entry of the catalogue and show what saw it: ``python -m specproof.conformance.defects [FILE]``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.progress import track

from specproof.conformance.checking import check_sampler
from specproof.conformance.defects import DEFECTS, LOOKALIKES, Defect, reach
from specproof.conformance.report.finding import Verdict
from specproof.conformance.report.report import Report

INTRODUCTION = """\
# Known defects of speculative samplers

Every entry is a small mutation of a correct sampler, with its exact law, and was run through
`specproof check --require-seed` at the default budget. *TV* is the exact total variation distance between what it emits
(completed by the target) and the target, on its witness problem, and "–" for what breaks the contract instead; *seen
by* says which tests of the kit alarmed; *diagnosis* whether the likelihood of the data named this very defect among all
of the catalogue, and it is not made where the output is malformed or trials depend on each other. This page is written
by `python -m specproof.conformance.defects docs/defects.md`.
"""

REACH_INTRODUCTION = """
## Out of reach

Reported too, and not to be seen by any black box that is handed small problems, at the default budget. The numbers are
computed when this page is written.
"""

LOOKALIKE_INTRODUCTION = """
## Look-alikes

These have been reported as biased or look it, and are exact; the kit passes them.
"""


def row(entry: Defect, report: Report) -> str:
    """One line of the table."""
    named = report.diagnosis is not None and report.diagnosis.name == entry.name
    diagnosis = "named" if named else "not made" if report.diagnosis is None else str(report.diagnosis)
    seen = ", ".join(sorted({finding.detector for finding in report.findings}))
    cells = (
        f"`{entry.name}`",
        entry.contract,
        entry.title,
        entry.needs,
        _distance(entry),
        report.verdict.value,
        seen,
        diagnosis,
        ", ".join(entry.threads),
    )
    return _line(*cells)


def lookalike_row(entry: Defect, report: Report) -> str:
    """One line of the second table."""
    return _line(f"`{entry.name}`", entry.contract, entry.title, report.verdict.value, ", ".join(entry.threads))


def _line(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _distance(entry: Defect) -> str:
    if entry.law is None:
        return "–"
    problem = entry.problem
    gap = np.abs(problem.completed(entry.law(problem)) - problem.target_law).sum()
    return f"{0.5 * float(gap):.3f}"


def page(entries: tuple[Defect, ...], lookalikes: tuple[Defect, ...]) -> tuple[str, list[str]]:
    """The tables in Markdown, and the names of entries with another verdict than they should have."""
    reports = {
        (entry.contract, entry.name): check_sampler(entry.sampler, entry.contract, require_seed=True)
        for entry in track((*entries, *lookalikes), description="checking", transient=True)
    }
    lines = [
        INTRODUCTION,
        "| defect | contract | mechanism | needs | TV | verdict | seen by | diagnosis | reported in |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
        *(row(entry, reports[entry.contract, entry.name]) for entry in entries),
        LOOKALIKE_INTRODUCTION,
        "| sampler | contract | what it does | verdict | discussed in |",
        "| --- | --- | --- | --- | --- |",
        *(lookalike_row(entry, reports[entry.contract, entry.name]) for entry in lookalikes),
        REACH_INTRODUCTION,
        "| fault | why it escapes | reported in |",
        "| --- | --- | --- |",
        *(_line(*cells) for cells in reach.rows()),
    ]
    unseen = (Verdict.LOSSLESS, Verdict.INCONCLUSIVE)
    missed = [e.name for e in entries if reports[e.contract, e.name].verdict in unseen]
    accused = [e.name for e in lookalikes if reports[e.contract, e.name].verdict != Verdict.LOSSLESS]
    return "\n".join(lines) + "\n", missed + accused


def main(arguments: Sequence[str] | None = None) -> None:
    """Check every entry of the catalogue, which takes minutes, and show what saw it."""
    parser = argparse.ArgumentParser(prog="python -m specproof.conformance.defects", description=main.__doc__)
    parser.add_argument("file", nargs="?", type=Path, help="the page is written there; default: printed")
    file: Path | None = parser.parse_args(arguments).file
    if file:
        try:
            file.open("a").close()  # before the minutes, not after them
        except OSError as error:
            parser.error(f"{file} cannot be written ({error.strerror}): name a file in a folder of yours")
    text, wrong = page(DEFECTS, LOOKALIKES)
    if file:
        file.write_text(text, encoding="utf-8")
    else:
        print(text)
    if wrong:
        sys.exit(f"wrong verdict: {', '.join(wrong)}")


if __name__ == "__main__":
    main()
