"""A report in plain values, for strict JSON."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from specproof.conformance.report.check_result import CheckResult, Instance
from specproof.conformance.report.finding import Finding
from specproof.simulations.statistics import POWER


def as_dict(report: CheckResult) -> dict[str, Any]:
    """Give a report in plain values, in which what is infinite is None."""
    return {
        "subject": report.subject,
        "contract": str(report.contract),
        "verdict": report.verdict.value,
        "lossless": report.is_lossless,
        "passed": report.is_passed,
        "within": report.within,
        "bias_at_most": None if report.within is None else report.bias_at_most,
        "reason": report.reason,
        "findings": [_finding(finding) for finding in report.findings],
        "notes": list(report.notes),
        "instance": report.instance and _instance(report.instance),
        "total_variation_at_least": (report.instance.total_variation or None) if report.instance else 0.0,
        "acceptance": [{**asdict(row), "slow": row.is_slow} for row in report.acceptance],
        "diagnosis": report.diagnosis and {key: _plain(value) for key, value in asdict(report.diagnosis).items()},
        "detectable_bias": {
            "total_variation": _plain(report.detectable_bias),
            "probability": POWER,
            "hardest": report.hardest,
            "all_problems": _plain(report.detectable_bias_on_all_problems),
            "degenerate_problems": _plain(report.detectable_bias_on_degenerate_problems),
            "small_batches": {kind: _plain(bias) for kind, bias in report.detectable_bias_in_small_batches.items()},
        },
        "reproducible": report.reproducible,
        "level": report.level,
        "trials": report.trials,
        "calls": report.calls,
        "seed": report.seed,
        "seconds": round(report.seconds, 3),
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {name: _plain(getattr(finding, name)) for name in ("verdict", "detector", "problem", "text")}


def _instance(instance: Instance) -> dict[str, Any]:
    return {
        **vars(instance),
        "problem": instance.problem.describe(),
        "total_variation": instance.total_variation or None,
        "neighbours": [neighbour.describe() for neighbour in instance.neighbours],
    }


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return str(value)  # a member of an enumeration as its name
    return None if isinstance(value, float) and not math.isfinite(value) else value
