"""A report as text: in full for the terminal, and in short for a failing test."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from specproof.conformance.problems.ladder import PROBLEMS
from specproof.conformance.report.check_result import CheckResult, told_bias, told_share
from specproof.conformance.report.finding import Verdict
from specproof.conformance.report.hints import hint

COLOURS = {Verdict.LOSSLESS: "bold green", Verdict.WITHIN: "bold green", Verdict.INCONCLUSIVE: "bold yellow"}
"""Verdicts in other colours than a failure's."""


def full(report: CheckResult, *, verbose: bool = False) -> Iterator[RenderableType]:
    """Give verdict, reason, failing instance, diagnosis, notes, what the verdict is worth and, verbose, acceptance."""
    yield from _headline(report)
    yield from _findings(report)
    yield from _hint(report)
    yield from _instance(report)
    yield from _observed(report)
    yield from _diagnosis(report)
    if verbose:
        yield from _acceptance(report)
    yield from _notes(report)
    if report.calls:  # what was counted in a process that the function ended is lost
        yield Text(
            f"\n{_count(report.trials, 'trial')} in {_count(report.calls, 'call')}, {report.seconds:.1f} s, "
            f"seed {report.seed}. A lossless sampler fails with probability at most {report.level:g}."
        )


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def short(report: CheckResult) -> str:
    """Give what a failing test has to say: the same without costs and hints, as plain text."""
    parts = (_headline, _findings, _instance, _observed, _diagnosis, _notes)
    return plain(line for part in parts for line in part(report))


def plain(parts: Iterable[RenderableType]) -> str:
    """Render parts of a report without colours, however wide they are."""
    console = Console(file=io.StringIO(), highlight=False, soft_wrap=True, color_system=None)
    for part in parts:
        console.print(part)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().rstrip("\n")


def _headline(report: CheckResult) -> Iterator[Text]:
    colour = COLOURS.get(report.verdict, "bold red")
    yield Text.assemble((report.verdict, colour), f"  {report.subject}  (contract {report.contract}){_worth(report)}")


def _worth(report: CheckResult) -> str:
    """What a passed check could not see, or what it measured."""
    if report.verdict is Verdict.WITHIN:
        return f", a total variation of at most {report.bias_at_most:.3g} where {report.within:g} is declared"
    if not report.is_lossless:
        return ""
    everywhere, alone = told_bias(report.detectable_bias_on_all_problems), told_bias(report.detectable_bias)
    return f", up to a total variation of {everywhere} on every problem, {alone} on one alone"


def _findings(report: CheckResult) -> Iterator[Text]:
    if not report.findings:
        yield Text(f"  {report.reason}")
    for finding in report.findings:
        yield Text.assemble("  ", (finding.verdict, "red"), f" {finding.text}  [{finding.detector}]")


def _hint(report: CheckResult) -> Iterator[Text]:
    if said := hint(report):
        yield Text.assemble(("hint", "yellow"), f" {said}")


def _instance(report: CheckResult) -> Iterator[Text]:
    if report.instance:
        yield Text(f"\n{report.instance.title}:\n{report.instance.problem.describe()}")
        for neighbour in report.instance.neighbours:
            yield Text(f"in one batch with trials of:\n{neighbour.describe()}")
        if report.instance.total_variation > 0:
            distance = f"{report.instance.total_variation:.2g}, at level {report.level:g}"
            yield Text(f"Total variation at least {distance}.")


def _observed(report: CheckResult) -> Iterator[Table]:
    if report.instance:
        table = Table(title=f"{report.instance.trials:,} trials", title_justify="left")
        for heading in ("tokens", "target", "emitted"):
            table.add_column(heading)
        for outcome, expected in report.instance.expected.items():
            table.add_row(outcome, told_share(expected), told_share(report.instance.observed[outcome]))
        yield table


def _diagnosis(report: CheckResult) -> Iterator[Text]:
    if report.diagnosis:
        yield Text(f"\nDiagnosis: {report.diagnosis}")


def _acceptance(report: CheckResult) -> Iterator[RenderableType]:
    if report.acceptance:
        table = Table(title=f"How often {PROBLEMS[report.contract].acceptance_title}", title_justify="left")
        for heading in ("problem", "trials", "measured", "the most without loss"):
            table.add_column(heading)
        for row in report.acceptance:
            table.add_row(row.problem, f"{row.trials:,}", f"{row.measured:.4f}", f"{row.bound:.4f}")
        yield Text()
        yield table


def _notes(report: CheckResult) -> Iterator[Text]:
    for note in report.notes:
        yield Text.assemble(("note", "yellow"), f" {note}")
