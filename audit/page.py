"""The lines of docs/audit.md. Its text is in this module and in :mod:`audit.registry`, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from audit import networks
from audit.registry import Subject
from audit.repairs import REPAIRS
from specproof.conformance import DEFAULT, Report
from specproof.simulations.statistics import Check


def document(reports: list[tuple[Subject, Report]], seconds: float) -> Iterator[str]:
    """The whole page; what is not a report yet is run for it."""
    yield from _HEAD.format(seconds=seconds).splitlines()
    for subject, report in reports:
        cells = (subject.distribution, subject.version, subject.calls, subject.contract, f"**{report.verdict}**")
        yield f"| {' | '.join((*cells, _evidence(report)))} |"
    yield from _NETWORKS.format(length=networks.LENGTH, prompt=len(networks.PROMPT)).splitlines()
    yield from network_lines([subject for subject, _ in reports])
    yield from ("", _DECODER)
    yield from _REPAIRS.splitlines()
    yield from repair_lines([subject for subject, _ in reports], seconds)
    yield from ("", "## One by one")
    for subject, report in reports:
        yield from _section(subject, report, seconds)


def network_lines(subjects: list[Subject]) -> Iterator[str]:
    """One line of a table for each experiment with networks on one of these subjects, which is run."""
    names = {subject.name for subject in subjects}
    for run in (run for run in networks.EXPERIMENTS if run.name in names):
        result = networks.check(run.build(), run.texts, seed=0)
        outcome = "**refuted**" if result.is_refuted else "consistent"
        cells = (run.name, run.networks, f"{run.texts:,}", outcome, _worst(result), f"{result.detectable:.3f}")
        yield f"| {' | '.join(cells)} |"


def repair_lines(subjects: list[Subject], seconds: float) -> Iterator[str]:
    """One line of a table for each repair of one of these subjects, which is run."""
    for repair in (repair for repair in REPAIRS if repair.subject in subjects):
        verdict, evidence = repair.outcome(replace(DEFAULT, seconds=seconds * repair.subject.patience))
        yield f"| {repair.name} | {repair.what} | **{verdict}** | {evidence} |"


def _evidence(report: Report) -> str:
    if report.instance and report.instance.total_variation > 0:
        return f"TV at least {report.instance.total_variation:.3f} on the instance below"
    return report.reason


def _section(subject: Subject, report: Report, seconds: float) -> Iterator[str]:
    yield from ("", f"### {subject.name}: {report.verdict}", "")
    yield f"{subject.distribution} {subject.version}, {subject.calls}, contract {subject.contract}."
    yield f"The adapter adds {subject.assumes}."
    yield f"Found: {report.reason}."
    yield from (f"Also {finding.verdict}: {finding.text}." for finding in report.findings[1:])
    yield from (f"Note: {note}." for note in report.notes)
    for row in report.acceptance[:1]:
        yield f"Acceptance on '{row.problem}': {row.measured:.4f} measured; the most without loss is {row.bound:.4f}."
    if report.diagnosis:
        yield f"Diagnosis by exact laws: {report.diagnosis}."
    if report.findings:
        yield f"In the code: {subject.cause or 'not yet read; take the finding as open.'}"
    if report.instance:
        yield from ("", "```text", repr(report.instance.problem))
        for outcome, expected in report.instance.expected.items():
            yield f"{outcome}: expected {expected:.4f}, observed {report.instance.observed[outcome]:.4f}"
        yield "```"
    limit = f"--time-limit {seconds * subject.patience:g}"
    yield from ("", f"Again: `specproof check {subject.function} --contract {subject.contract} {limit}`")


def _worst(result: Check) -> str:
    return f"probability {result.exact:.4f}, interval {result.low:.4f} to {result.high:.4f}"


_HEAD = """# Audit of published verifiers

Written by `python -m audit.audit`; do not edit. Each verifier is run by `check_sampler` through an adapter in
`audit/adapters/`, for {seconds:g} seconds (the slowest longer) at the kit's false-alarm level of 1e-6 a check.
Packages are not installed: each is fetched from the package index as a wheel pinned by its SHA-256, and only the
module that is called is imported. Installing them would bring engines, drivers and requirements that exclude each
other; what their modules import beside themselves is torch and transformers, which
`pip install 'specproof[llm]'` brings, and two small wheels that are fetched in the same way.

Where fewer trials are named than the others have, time cut the check short: how many there are depends on the machine,
and with them what could have escaped.

Before a finding is written down here, the package's code is read again and the finding attacked: is it the adapter, a
rule documented as lossy, rounding, an input outside the function's contract? Where undoing the suspected mechanism,
and nothing else, was seen to take the bias away, the entry says so. "lossless" means that no test saw a deviation,
with the bias that could have escaped.

| package | version | called | contract | verdict | evidence |
| --- | --- | --- | --- | --- | --- |"""

_NETWORKS = """
## With networks whose attention matters

The kit's tables cannot show what a cache or a mask does to a network. So two loops are also run with small random
networks of the package's own classes: {length} tokens after a prompt of {prompt}, against the joint law enumerated
without a loop. Level 1e-6.

*Would be seen* is the change of one text's probability that as many texts show with probability 0.99. (transformers'
assisted generation takes one text a call.)

| loop | networks | texts | outcome | furthest text | would be seen |
| --- | --- | --- | --- | --- | --- |"""

_DECODER = """In speculative-decoding the loop itself is lossless (above). Texts of one batch get ragged, and
`Decoder.forward` builds a mask of what lies left of each text's start, but does not hand it to the attention of its
ordinary layers: they attend to leftovers of the alignment. With the mask handed over (`audit/networks.py`), and with
one text a call, nothing is found."""

_REPAIRS = """
## Suspected causes undone

Where a cause was found by reading the code, it was undone in the package's own function, and nothing else, and the
result checked again (`audit/repairs/`). What is "published" for vllm-ascend is the kit's exact law of block
verification, put in the place of what the package's function decides.

| subject | undone | verdict | evidence |
| --- | --- | --- | --- |"""
