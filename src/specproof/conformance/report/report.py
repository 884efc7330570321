"""What a check found."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from specproof.conformance.problems import Problem
from specproof.conformance.problems.ladder import SMALL_PROBLEMS

SHRUNK = "found by shrinking"
"""Name of an instance that is not one of the ladder's problems."""


class Verdict(StrEnum):
    """What a check says about a sampler.

    ``lossless``: every test of every law passed; :attr:`Report.power` says what could have escaped. ``biased``: some
    law is not the target's, at the stated false-alarm level. ``invalid output`` and ``crashes``: the contract is
    broken. ``inconclusive``: for want of time, by the budget, or because every problem was refused, a bias of 0.2 could
    have escaped; or the check itself broke off.
    """

    LOSSLESS = "lossless"
    BIASED = "biased"
    INVALID = "invalid output"
    CRASHES = "crashes"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Attributes
    ----------
    verdict : Verdict
        What it means for the sampler.
    detector : str
        What saw it: "law", "acceptance" and "pairs" of trials, the tests on ordinary problems; "small batches", the law
        in batches of one, two, three or some more; "batch", what else a batch has to do with it; "corner", a degenerate
        problem; "output", what was returned or raised; "dice" and "rows", calls with different generators; "seed",
        calls with the same generator; "process", how its process ended.
    problem : str
        Name of the problem it was seen on; empty if it was no particular one.
    text : str
        One sentence.
    """

    verdict: Verdict
    detector: str
    problem: str
    text: str


@dataclass(frozen=True)
class Instance:
    """A failing instance, the smallest that was found, with what was drawn on it afresh.

    Attributes
    ----------
    problem : Problem
    name : str
        Of the ladder's problem, or ``SHRUNK``.
    trials : int
    expected, observed : dict
        Probability and frequency of the outcomes that differ most, by outcome.
    total_variation : float
        Lower confidence bound on the distance between the completed law and the target's, at the check's level; 0
        where there is none, as the trials of a batch may depend on each other.
    """

    problem: Problem
    name: str
    trials: int
    expected: Mapping[str, float]
    observed: Mapping[str, float]
    total_variation: float

    @property
    def title(self) -> str:
        """What kind of instance it is: nothing smaller was looked for where batches have to do with it."""
        return f"failing instance ({self.name})" if self.name != SHRUNK else f"smallest failing instance ({SHRUNK})"


@dataclass(frozen=True)
class Acceptance:
    """How often drafts are emitted, against the most that a lossless sampler can.

    Attributes
    ----------
    problem : str
    measured, low, high : float
        Frequency with which the first token is the first draft, be it accepted or drawn anew (contract multi: with
        which some draft is accepted), and its interval, at a level that makes that of all problems the check's.
    bound : float
        Exact.
    trials : int
    """

    problem: str
    measured: float
    low: float
    high: float
    bound: float
    trials: int

    @property
    def is_slow(self) -> bool:
        """Whether more could be accepted without loss."""
        return self.high < self.bound


@dataclass(frozen=True)
class Diagnosis:
    """The known defect whose exact law explains the data best.

    Attributes
    ----------
    name, title : str
        Of the defect; empty where none of the known ones explains the data.
    log_likelihood_ratio : float
        To the next best known defect that differs, refuted or not; infinite (in JSON: null) if its law excludes
        something that was seen, or there is no other.
    equivalent : tuple of str
        Names of further defects whose laws on these problems are the same.
    tried : int
        How many known defects there are.
    """

    name: str
    title: str
    log_likelihood_ratio: float
    equivalent: tuple[str, ...]
    tried: int

    def __str__(self) -> str:
        if not self.name:
            return f"none of the {self.tried} known defects explains the data"
        also = f" (same law here: {', '.join(self.equivalent)})" if self.equivalent else ""
        return f"{self.name}: {self.title}{also}"


@dataclass(frozen=True)
class Report:
    """The result of :func:`specproof.conformance.check_sampler`.

    Attributes
    ----------
    subject, contract : str
    verdict : Verdict
    findings : tuple of Finding
        What is wrong, the first that was found first.
    notes : tuple of str
        What is not wrong but worth knowing.
    instance : Instance or None
        The smallest failing instance, where a law is wrong.
    acceptance : tuple of Acceptance
        Empty in the contract generate, which does not show drafts.
    diagnosis : Diagnosis or None
        Where a law is wrong.
    power : float
        A bias of this total variation on any problem of the ladder would have been seen with probability 0.99; infinite
        where none surely would (in JSON: null).
    hardest : str
        The problem on which it would have been hardest to see.
    power_of_small : dict
        The same for small batches, by how many trials they have, on the two problems that are run in them.
    power_of_corners : float
        The same for the degenerate problems that have more than one outcome.
    reproducible : bool
        Whether the same inputs and the same generator gave the same output.
    level : float
        The chance that the check of a lossless sampler alarms.
    trials, calls, seed, seconds
        What was spent.
    """

    subject: str
    contract: str
    verdict: Verdict
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    instance: Instance | None = None
    acceptance: tuple[Acceptance, ...] = ()
    diagnosis: Diagnosis | None = None
    power: float = math.inf
    hardest: str = ""
    power_of_small: Mapping[str, float] = field(default_factory=dict)
    power_of_corners: float = math.inf
    reproducible: bool = True
    level: float = 0.0
    trials: int = 0
    calls: int = 0
    seed: int = 0
    seconds: float = field(default=0.0, compare=False)

    @property
    def is_lossless(self) -> bool:
        """Whether the verdict is "lossless"."""
        return self.verdict == Verdict.LOSSLESS

    @property
    def reason(self) -> str:
        """The verdict in one sentence."""
        if self.findings:
            return self.findings[0].text
        if self.verdict == Verdict.INCONCLUSIVE:
            if not self.hardest:
                return "every problem was refused"
            escaped = f"a total variation of {_bias(self.power)} on '{self.hardest}' could have escaped"
            return f"{self.trials:,} trials are too few: {escaped}; allow more time or a larger budget"
        names = " and ".join(f"'{name}'" for name in SMALL_PROBLEMS[self.contract])
        small = ", ".join(f"{_bias(bias)} of {kind}" for kind, bias in self.power_of_small.items())
        return (
            f"no deviation in {self.trials:,} trials; with probability 0.01 a total variation of "
            f"{_bias(self.power)} on '{self.hardest}' would have escaped, {_bias(self.power_of_corners)} on degenerate "
            f"problems, and on {names} in batches: {small}"
        )

    def as_dict(self) -> dict[str, Any]:
        """Plain values for strict JSON: what is infinite is None."""
        instance = self.instance and {
            **{key: value for key, value in vars(self.instance).items() if key != "problem"},
            "problem": self.instance.problem.describe(),
        }
        return {
            "subject": self.subject,
            "contract": self.contract,
            "verdict": self.verdict.value,
            "lossless": self.is_lossless,
            "reason": self.reason,
            "findings": [asdict(finding) for finding in self.findings],
            "notes": list(self.notes),
            "instance": instance,
            "total_variation_at_least": self.instance.total_variation if self.instance else 0.0,
            "acceptance": [{**asdict(row), "slow": row.is_slow} for row in self.acceptance],
            "diagnosis": self.diagnosis and {key: _finite(value) for key, value in asdict(self.diagnosis).items()},
            "power": {
                "total_variation": _finite(self.power),
                "probability": 0.99,
                "hardest": self.hardest,
                "corners": _finite(self.power_of_corners),
                "small_batches": {kind: _finite(bias) for kind, bias in self.power_of_small.items()},
            },
            "reproducible": self.reproducible,
            "level": self.level,
            "trials": self.trials,
            "calls": self.calls,
            "seed": self.seed,
            "seconds": round(self.seconds, 3),
        }

    def __str__(self) -> str:
        lines = [f"{self.subject}: {self.verdict}: {self.reason}"]
        lines += [f"  also {finding.verdict}: {finding.text}" for finding in self.findings[1:]]
        if self.instance:
            lines.append(f"  {self.instance.title}: {self.instance.problem!r}")
            if self.instance.total_variation > 0:
                lines.append(f"  total variation at least {self.instance.total_variation:.2g}")
        if self.diagnosis:
            lines.append(f"  diagnosis: {self.diagnosis}")
        return "\n".join(lines + [f"  note: {note}" for note in self.notes])


def _bias(size: float) -> str:
    return f"{size:.2g}" if math.isfinite(size) else "any"


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
