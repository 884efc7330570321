"""The page of a check: the verdict on a sampler, the instance that shows the fault, and what could have escaped."""

from __future__ import annotations

import math
import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

from specproof.conformance.problems.description import ContextLaw, context_laws
from specproof.conformance.problems.ladder import PROBLEMS
from specproof.conformance.report.check_result import told_share
from specproof.report.page import render

if TYPE_CHECKING:
    from specproof.conformance.report.check_result import CheckResult, Instance


def check_page(report: CheckResult, command: Sequence[str] = ()) -> str:
    """Write the page of a check.

    Parameters
    ----------
    report : CheckResult
    command : sequence of str
        The words of the command that made the check; by default those that check the same function again.
    """
    return render(
        "check",
        report=report,
        state={"lossless": "good", "within": "good", "inconclusive": "open"}.get(report.verdict.value, "bad"),
        command=shlex.join(command or _command(report)),
        models=_models(report.instance) if report.instance else [],
        told_share=told_share,
        widest=_widest(report.instance) if report.instance else 1.0,
        acceptance_title=PROBLEMS[report.contract].acceptance_title,
        escaped=[(where, bias_in_words(bias)) for where, bias in _escaped(report)],
    )


def _command(report: CheckResult) -> list[str]:
    return ["specproof", "check", report.subject, "--contract", str(report.contract), "--seed", str(report.seed)]


def _models(instance: Instance) -> list[tuple[str, list[ContextLaw]]]:
    """Tell the laws of draft and target on the failing instance, context by context."""
    return [
        (name, context_laws(model)) for name, model in zip(("draft", "target"), instance.problem.models, strict=True)
    ]


def _widest(instance: Instance) -> float:
    """Give the largest probability that a bar stands for, which fills its room."""
    return max(*instance.expected.values(), *instance.observed.values(), 1e-9)


def _escaped(report: CheckResult) -> list[tuple[str, float]]:
    """List the biases that would have been seen with probability 0.99, by where they would have been."""
    return [
        ("on every problem", report.detectable_bias_on_all_problems),
        (f"on any problem alone; hardest on '{report.hardest}'", report.detectable_bias),
        ("on degenerate problems", report.detectable_bias_on_degenerate_problems),
        *((f"in batches of {kind}", bias) for kind, bias in report.detectable_bias_in_small_batches.items()),
    ]


def bias_in_words(bias: float) -> str:
    """Write a detectable bias; an infinite one means that nothing would surely have been seen.

    Examples
    --------
    >>> bias_in_words(0.0123), bias_in_words(float("inf"))
    ('0.012', 'none for sure')
    """
    return f"{bias:.2g}" if math.isfinite(bias) else "none for sure"
