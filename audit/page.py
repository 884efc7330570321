"""The lines of docs/audit.md and of the subjects' pages. What is said of a subject is in ``audit/subjects``."""

from __future__ import annotations

from collections.abc import Iterator

from audit import networks
from audit.outcome import Outcome
from audit.registry import Subject, find
from audit.repairs import REPAIRS
from specproof.conformance import Report
from specproof.simulations.statistics import Check


def table_page(outcomes: list[Outcome]) -> Iterator[str]:
    """The table of what all runs came to."""
    yield from _HEAD.splitlines()
    for row in outcomes:
        subject = f"[{row.package} {row.version}](audit/{row.name}.md)"
        verdict = row.verdict if row.verdict == "lossless" else f"**{row.verdict}**"
        spent = f"{row.trials:,} in {row.seconds:.0f} s"
        yield f"| {' | '.join((subject, row.calls, row.contract, verdict, row.evidence, spent))} |"
    yield from _FOOT.splitlines()
    yield from _below("Before and after a fix", _PAIRS, list(pair_lines(outcomes)))
    yield from _ABSENT.splitlines()


def pair_lines(outcomes: list[Outcome]) -> Iterator[str]:
    """One line of a table for each fix of which both releases were checked."""
    by_name = {row.name: row for row in outcomes}
    for row in outcomes:
        subject = find(row.name)
        if subject.before in by_name:
            yield f"| {' | '.join((subject.fix, _came_to(by_name[subject.before]), _came_to(row)))} |"


def _came_to(row: Outcome) -> str:
    release = f"[{row.package} {row.version}](audit/{row.name}.md)"
    if row.found is None:
        return f"{release}, {row.verdict}: {row.evidence}; {row.trials:,} trials in {row.seconds:.0f} s"
    return f"{release}, **{row.verdict}** after {row.found:.0f} s: {row.reason}; {row.evidence}"


def subject_page(subject: Subject, report: Report) -> Iterator[str]:
    """All that is known of one subject; its networks and repairs are run for it."""
    yield from (f"# {subject.name}: {report.verdict}", "")
    yield f"{subject.distribution} {subject.version}, {subject.calls}, contract {subject.contract}."
    yield f"The adapter, `audit/adapters/{subject.adapter.partition(':')[0]}.py`, adds {subject.assumes}."
    yield from ("", "## The check", "", f"Found: {report.reason}.")
    yield from (f"Also {finding.verdict}: {finding.text}." for finding in report.findings[1:])
    yield from (f"Note: {note}." for note in report.notes)
    for row in report.acceptance[:1]:
        yield f"Acceptance on '{row.problem}': {row.measured:.4f} measured; the most without loss is {row.bound:.4f}."
    if report.diagnosis:
        yield f"Diagnosis by exact laws: {report.diagnosis}."
    yield from _instance(report)
    if report.findings:
        yield from ("", "## In the code", "", subject.cause or "Not yet read; take the finding as open.")
    yield from _below("Suspected causes undone", _REPAIRS, list(repair_lines(subject)))
    text = _NETWORKS.format(length=networks.LENGTH, prompt=len(networks.PROMPT))
    yield from _below("With networks whose attention matters", text, list(network_lines(subject)))
    yield from _again(subject, report)


def network_lines(subject: Subject) -> Iterator[str]:
    """One line of a table for each experiment with networks on this subject, which is run."""
    for run in (run for run in networks.EXPERIMENTS if run.name == subject.name):
        result = networks.check(run.build(), run.texts, seed=0)
        outcome = "**refuted**" if result.is_refuted else "consistent"
        cells = (run.networks, f"{run.texts:,}", outcome, _worst(result), f"{result.detectable:.3f}")
        yield f"| {' | '.join(cells)} |"


def repair_lines(subject: Subject) -> Iterator[str]:
    """One line of a table for each repair of this subject, which is run."""
    for repair in (repair for repair in REPAIRS if repair.subject == subject):
        verdict, evidence = repair.outcome(subject.budget)
        yield f"| {repair.what} | **{verdict}** | {evidence} |"


def _instance(report: Report) -> Iterator[str]:
    if report.instance:
        yield from ("", "```text", repr(report.instance.problem))
        for outcome, expected in report.instance.expected.items():
            yield f"{outcome}: expected {expected:.4f}, observed {report.instance.observed[outcome]:.4f}"
        yield "```"


def _below(title: str, text: str, rows: list[str]) -> Iterator[str]:
    if rows:
        yield from ("", f"## {title}", "", *text.splitlines(), *rows)


def _again(subject: Subject, report: Report) -> Iterator[str]:
    yield from ("", "## Again", "", f"Seed {report.seed}, {report.trials:,} trials in {report.seconds:.1f} seconds.")
    yield from (f"`{wheel.filename}` has SHA-256 `{wheel.sha256}`." for wheel in subject.wheels)
    yield from ("", "```sh", f"python -m audit.audit {subject.name}", "```")


def _worst(result: Check) -> str:
    return f"probability {result.exact:.4f}, interval {result.low:.4f} to {result.high:.4f}"


_HEAD = """# Audit of published verifiers

Written by `python -m audit.audit`, which can be given the names of subjects to run again; do not edit. Each verifier is
run through its own code by `check_sampler`, at a false-alarm level of 1e-6 a check. The name of a package leads to
a page with what its adapter assumes, what was found, why, and how to repeat it.

| package | called | contract | verdict | evidence | trials |
| --- | --- | --- | --- | --- | --- |"""

_FOOT = """
"lossless" means that no test saw a deviation; a smaller total variation (TV) than the one that is named can have
escaped, with probability 0.01 or more. A check counts trials and not seconds, fewer for what takes one text a call.
"inconclusive" means that nothing was found either, in trials too few to see a TV of 0.2 on every problem.

Packages are not installed: each is fetched from the package index as a wheel pinned by its SHA-256, and only what is
called is imported. Installing them would bring engines, drivers and requirements that exclude each other. Only vLLM as
a whole engine is installed, in an environment of its own.

Before a finding is written down here, the package's code is read again and the finding attacked: is it the adapter, a
rule documented as lossy, rounding, an input outside the function's contract? Where undoing the suspected mechanism,
and nothing else, was seen to take the bias away, the subject's page says so."""

_ABSENT = """
## What is not here, and why

- FlashInfer's `chain_speculative_sampling` and TensorRT-LLM's verification of dynamic trees are CUDA kernels without a
  path for processors. SGLang's tree kernel is one too; it is here because its source is in the wheel and uses little
  of CUDA, for which there are stand-ins.
- vLLM is here as a whole engine with its first model runner, the one that its wheel for processors runs. Of the second,
  which wants Triton, there are the sampler and a speculator. Its watermarking is left out, which draws by a key.
- Of CTranslate2, ExLlamaV3, mistral.rs and IPEX-LLM no sampled verifier was found that can be driven alone.
- Of transformers no pair of releases before and after a fix is here: its rule was brought in and mended (pull requests
  27979 and 28166) between 4.36.2, which has no such function, and 4.37.2.

## How far the stand-in for Triton is to be trusted

Kernels of Triton run on arrays of numpy, and on tiles that eight tokens cross. `python -m audit.triton.agreement` runs
them so and by Triton's own interpreter, on every problem of their contract with the same random numbers, and compares
every token. Of the fourteen functions that stand in the table, it printed (Triton 3.9.0):

```text
sglang:chain                         950 tokens, 0 differ
sglang:block                         950 tokens, 0 differ
sglang:dspark_kernels              1,040 tokens, 0 differ
vllm:first                         1,200 tokens, 0 differ
vllm:first_constrained             1,200 tokens, 0 differ
vllm_fly:verify                    1,200 tokens, 0 differ
vllm_modes:first_mixed             1,200 tokens, 0 differ
vllm_modes:synthetic               1,200 tokens, 0 differ
vllm:second                        1,040 tokens, 0 differ
vllm:second_block                  1,040 tokens, 0 differ
vllm_modes:second_mixed            1,040 tokens, 0 differ
vllm_modes:second_mixed_block      1,040 tokens, 0 differ
vllm_rounds:before                   510 tokens, 0 differ
vllm_rounds:after                    510 tokens, 0 differ
```

A check calls the kernels of vLLM's CPU build again and again in one process. That the first call of a process, in a
batch of one row or of 256, with greedy rows and without, gives the same tokens as one after others in any order, and as
Triton's kernels by the stand-in, on every problem, is what `tests/audit/test_vllm_cold.py` tests. It holds of
`rejection_sample`; what the engine calls before it divides by memory that it found
([vllm-temperature-cpp](audit/vllm-temperature-cpp.md)).

```{toctree}
:hidden:
:glob:

audit/*
```"""

_PAIRS = """Two releases, one after the other, by one adapter and one budget. What was found was found after the seconds
named; a small instance was searched for after that.

| mended | before | after |
| --- | --- | --- |"""

_REPAIRS = """The cause was found by reading the code. It was undone in the package's own function, and nothing else,
and the result checked again (`audit/repairs/`).

| undone | verdict | evidence |
| --- | --- | --- |"""

_NETWORKS = """The kit's tables cannot show what a cache or a mask does to a network. So the loop is also run with small
random networks of the package's own classes: {length} tokens after a prompt of {prompt}, against the joint law
enumerated without a loop (`audit/networks.py`), at level 1e-6. *Would be seen* is the change of one text's
probability that as many texts show with probability 0.99.

| networks | texts | outcome | furthest text | would be seen |
| --- | --- | --- | --- | --- |"""
