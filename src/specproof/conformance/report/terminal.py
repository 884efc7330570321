"""A conformance report for people."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterator

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from specproof.conformance.problems import CONTRACTS
from specproof.conformance.report.report import Report, Verdict

COLOURS = {Verdict.LOSSLESS: "bold green", Verdict.INCONCLUSIVE: "bold yellow"}


class _Pipe(Console):
    """A console that leaves it to its caller what a closed pipe means; rich would end the program with status 1."""

    def on_broken_pipe(self) -> None:
        raise  # the error that is being handled


def show(report: Report, *, as_json: bool) -> None:
    """Print a report; a reader that has read enough, as ``head`` has, does not change the exit status."""
    with _whoever_reads():
        if as_json:
            print(json.dumps(report.as_dict(), indent=2, allow_nan=False))
        else:
            _show(report)
        sys.stdout.flush()


@contextlib.contextmanager
def _whoever_reads() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is still buffered has to go somewhere


def _show(report: Report) -> None:
    """Verdict, reason, failing instance, diagnosis, acceptance, and what the verdict is worth."""
    console = _Pipe(highlight=False, soft_wrap=True)
    colour = COLOURS.get(report.verdict, "bold red")
    console.print(f"[{colour}]{report.verdict}[/]  {escape(report.subject)}  (contract {report.contract})")
    if report.findings:
        for finding in report.findings:
            console.print(f"  [red]{finding.verdict}[/] {escape(finding.text)}  \\[{finding.detector}]")
    else:
        console.print(f"  {escape(report.reason)}")
    if report.calls == 1 and report.verdict in (Verdict.CRASHES, Verdict.INVALID):
        others = " or ".join(contract for contract in CONTRACTS if contract != report.contract)
        console.print(f"[yellow]hint[/] it failed on its very first call: is its contract {others}? See --contract")
    _show_instance(console, report)
    if report.diagnosis:
        console.print(f"\nDiagnosis: {escape(str(report.diagnosis))}")
    _show_acceptance(console, report)
    for note in report.notes:
        console.print(f"[yellow]note[/] {escape(note)}")
    console.print(
        f"\n{report.trials:,} trials in {report.calls:,} calls, {report.seconds:.1f} s, seed {report.seed}. "
        f"That anything is found wrong with a lossless sampler has probability at most {report.level:g}."
    )


def _show_instance(console: Console, report: Report) -> None:
    instance = report.instance
    if instance is None:
        return
    console.print(f"\n{instance.title[0].upper()}{instance.title[1:]}:")
    console.print(escape(instance.problem.describe()))
    table = Table(title=f"{instance.trials:,} trials", title_justify="left")
    for heading in ("tokens", "target", "emitted"):
        table.add_column(heading)
    for outcome, expected in instance.expected.items():
        table.add_row(outcome, f"{expected:.4f}", f"{instance.observed[outcome]:.4f}")
    console.print(table)
    if instance.total_variation > 0:
        console.print(f"Total variation at least {instance.total_variation:.2g}, at level {report.level:g}.")


def _show_acceptance(console: Console, report: Report) -> None:
    if not report.acceptance:
        return
    what = "the first token is the first draft" if report.contract == "chain" else "some draft is accepted"
    table = Table(title=f"How often {what}", title_justify="left")
    for heading in ("problem", "trials", "measured", "the most without loss"):
        table.add_column(heading)
    for row in report.acceptance:
        table.add_row(row.problem, f"{row.trials:,}", f"{row.measured:.4f}", f"{row.bound:.4f}")
    console.print()
    console.print(table)
