"""What a check found."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from specproof.conformance.contract import Contract
from specproof.conformance.problems.problem import Problem
from specproof.conformance.report.finding import Finding, Verdict

SHRUNK = "found by shrinking"
"""The name of an instance that is not one of the ladder's problems."""
NAMED = 3
"""So many defects are named that are not excluded."""


@dataclass(frozen=True)
class Instance:
    """A failing instance, the smallest that was found, with what was drawn on it afresh.

    Attributes
    ----------
    problem : Problem
        The law that was emitted on it is not the target's.
    name : str
        The name of the ladder's problem, or ``SHRUNK``.
    trials : int
        How many trials were drawn.
    expected, observed : dict
        Probability and frequency of the outcomes that differ most, by outcome.
    total_variation : float
        Lower confidence bound on the distance between the completed law and the target's, at the check's level; 0
        where there is none, as the trials of a batch may depend on each other.
    neighbours : tuple of Problem
        The problems whose trials stood in the same batches, if those have to do with it.
    """

    problem: Problem
    name: str
    trials: int
    expected: Mapping[str, float]
    observed: Mapping[str, float]
    total_variation: float
    neighbours: tuple[Problem, ...] = ()

    @property
    def title(self) -> str:
        """The kind of instance: nothing smaller was looked for if batches have to do with it."""
        return f"Failing instance ({self.name})" if self.name != SHRUNK else f"Smallest failing instance ({SHRUNK})"


@dataclass(frozen=True)
class Acceptance:
    """How often drafts are emitted, against the most that a lossless sampler can.

    Attributes
    ----------
    problem : str
        The name of the problem.
    measured, low, high : float
        Frequency with which the first token is the first draft, be it accepted or drawn anew (contract multi: with
        which some draft is accepted), and its interval, at a level that makes that of all problems the check's.
    bound : float
        The exact bound.
    trials : int
        How many trials were drawn.
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
    """The known defect whose exact law explains the data best, or why none is named.

    Attributes
    ----------
    name, title : str
        The defect's name and title; empty if none of the known ones explains the data, or too few trials favour one.
    log_likelihood_ratio : float
        The logarithm of the likelihood ratio of the likeliest that is not refuted to the next best known defect that
        differs, refuted or not; infinite (in JSON: null) if its law excludes something that was seen, or there is no
        other.
    equivalent : tuple of str
        Names of further defects whose laws on these problems are the same.
    tried : int
        How many known defects there are.
    possible : tuple of str
        Names of the defects that are not refuted, the likeliest first, where the trials are too few to name one.
    only : str
        The problem whose trials these are, if all are of one.
    """

    name: str
    title: str
    log_likelihood_ratio: float
    equivalent: tuple[str, ...]
    tried: int
    possible: tuple[str, ...] = ()
    only: str = ""

    @property
    def is_none(self) -> bool:
        """Whether all known defects are refuted."""
        return not self.name and not self.possible

    def __str__(self) -> str:
        if self.possible:
            more = f" and {len(self.possible) - NAMED} more" if len(self.possible) > NAMED else ""
            return f"the trials are too few to name a defect; not excluded: {', '.join(self.possible[:NAMED])}{more}"
        if not self.name:
            return f"none of the {self.tried} known defects, as parametrised in the catalogue, explains the data"
        where = f"on {self.only}" if self.only else "here"
        also = f" (same law {where}: {', '.join(self.equivalent)})" if self.equivalent else ""
        return f"{self.name}: {self.title}{also}"


@dataclass(frozen=True)
class CheckResult:
    """All that a check found and what it cost; a report describes its attributes."""

    subject: str
    contract: Contract
    verdict: Verdict
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    instance: Instance | None = None
    acceptance: tuple[Acceptance, ...] = ()
    diagnosis: Diagnosis | None = None
    detectable_bias: float = math.inf
    hardest: str = ""
    detectable_bias_on_all_problems: float = math.inf
    problems_in_small_batches: tuple[str, ...] = ()
    detectable_bias_in_small_batches: Mapping[str, float] = field(default_factory=dict)
    detectable_bias_on_degenerate_problems: float = math.inf
    reproducible: bool = True
    within: float | None = None
    bias_at_most: float = 1.0
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
    def is_passed(self) -> bool:
        """Whether the sampler is lossless, or no farther from it than declared."""
        return self.verdict in (Verdict.LOSSLESS, Verdict.WITHIN)

    @property
    def reason(self) -> str:
        """The verdict in one sentence."""
        if self.findings:
            return self.findings[0].text
        if self.within is not None and self.hardest:
            return self._distance
        if self.verdict == Verdict.INCONCLUSIVE:
            if not self.hardest:
                return "every problem was refused"
            bias = told_bias(self.detectable_bias)
            size = f"a total variation of {bias}" if math.isfinite(self.detectable_bias) else f"{bias} bias"
            escaped = f"{size} on '{self.hardest}' could have escaped"
            return f"{self.trials:,} trials are too few: {escaped}; allow more time or a larger budget"
        names = " and ".join(f"'{name}'" for name in self.problems_in_small_batches) or "any problem"
        small = ", ".join(
            f"{told_bias(bias)} of {kind}" for kind, bias in self.detectable_bias_in_small_batches.items()
        )
        return (
            f"no deviation in {self.trials:,} trials; with probability 0.01 a total variation of "
            f"{told_bias(self.detectable_bias_on_all_problems)} on every problem would have escaped, "
            f"{told_bias(self.detectable_bias)} on '{self.hardest}' alone, "
            f"{told_bias(self.detectable_bias_on_degenerate_problems)} on degenerate problems, "
            f"and on {names} in batches: {small}"
        )

    @property
    def _distance(self) -> str:
        """How far from the target a rule is that is declared to be lossy, in one sentence."""
        bound = (
            f"on ordinary problems the total variation from the target is at most {self.bias_at_most:.3g}, on "
            f"'{self.hardest}', by {self.trials:,} trials"
        )
        if self.verdict == Verdict.WITHIN:
            return bound
        return f"{bound}: neither certainly within the {self.within:g} declared nor above; allow a larger budget"


def told_bias(size: float) -> str:
    """Write a detectable bias; infinite is any."""
    return f"{size:.2g}" if math.isfinite(size) else "any"


def told_share(share: float) -> str:
    """Write a probability or a frequency; what four decimals would round away has two digits.

    Examples
    --------
    >>> told_share(0.25), told_share(5e-7), told_share(0.0)
    ('0.2500', '5.0e-07', '0.0000')
    """
    return f"{share:.1e}" if 0 < share < 5e-4 else f"{share:.4f}"
