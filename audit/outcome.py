"""What a run of one subject came to, kept so that the table can be written without running all the others again."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path

from audit.registry import SUBJECTS, Subject
from specproof.conformance import Report

FOLDER = Path(__file__).with_name("outcomes")
"""Where they are kept, one file a subject."""


@dataclass(frozen=True)
class Outcome:
    """One row of the table.

    Attributes
    ----------
    name, package, version, calls, contract : str
        Of the subject.
    verdict : str
        What the check said.
    evidence : str
        The total variation that was found, or the one that would have escaped; or what is wrong in one sentence.
    trials, seed : int
        What was spent, and the seed of it.
    seconds : float
        How long the check took, the search for a small instance included.
    reason : str
        What was found, in one sentence, or that nothing was.
    found : float or None
        After how many seconds, the search for a small instance not included; None if nothing was, or it was not timed.
    """

    name: str
    package: str
    version: str
    calls: str
    contract: str
    verdict: str
    evidence: str
    trials: int
    seed: int
    seconds: float
    reason: str = ""
    found: float | None = None

    def keep(self) -> None:
        """Write it to its file."""
        text = json.dumps(asdict(self), indent=2, ensure_ascii=False)
        (FOLDER / f"{self.name}.json").write_text(text + "\n", encoding="utf-8")


def outcome_of(subject: Subject, report: Report, found: float | None) -> Outcome:
    """The row of a report, of a check in which something was found after so many seconds."""
    of_subject = subject.name, subject.distribution, subject.version, subject.calls, str(subject.contract)
    spent = report.trials, report.seed, round(report.seconds, 1)
    told = report.reason, found and round(found, 1)
    return Outcome(*of_subject, str(report.verdict), _evidence(report), *spent, *told)


def kept_outcomes() -> list[Outcome]:
    """Those of all subjects that were run, in the order of the packages' names."""
    paths = (FOLDER / f"{subject.name}.json" for subject in SUBJECTS)
    outcomes = [Outcome(**json.loads(path.read_text(encoding="utf-8"))) for path in paths if path.exists()]
    return sorted(outcomes, key=lambda outcome: (outcome.package, outcome.name))


def _evidence(report: Report) -> str:
    if report.instance and report.instance.total_variation > 0:
        return f"TV at least {report.instance.total_variation:.3f} on a small instance"
    if report.findings:
        return report.reason
    if math.isinf(report.detectable_bias):
        return "any TV could have escaped"
    return f"a TV of {report.detectable_bias:.2g} would have been seen"
