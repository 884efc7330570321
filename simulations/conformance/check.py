"""Check a stranger's sampler: whether it is lossless, and how far from the best acceptance."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from simulations.conformance.investigation import broken, investigate
from simulations.conformance.ladder import corners, ladder
from simulations.conformance.problems import CONTRACTS, ChainProblem, GenerateProblem, Problem
from simulations.conformance.report import Acceptance, Finding, Report, Verdict
from simulations.conformance.runner import Crash, InvalidOutput, Sampler, Subject
from simulations.conformance.sampling import Watch, sample, sample_mixed
from simulations.statistics import binomial_interval
from theory.errors import InvalidInput

LEVEL = 1e-6
"""The chance that the check of a lossless sampler alarms."""
SMALLEST_POWER = 0.2
"""A check that ran out of time before it could see a bias of this total variation is inconclusive."""
DETECTORS = ("law", "acceptance", "neighbours")
"""What sees a wrong law, the most telling first."""
REPEATED = 256
"""Trials of the calls that are repeated with the same and with another generator."""


@dataclass(frozen=True)
class Budget:
    """How much a check spends.

    Attributes
    ----------
    first : int
        Trials on each problem in the first round; each further round doubles them.
    rounds : int
    small : int
        Calls with batches of one to three trials.
    corner : int
        Trials on each degenerate problem.
    seconds : float
        Time limit of the tests, and of a single call; looking into a failure may take half of it more.
    """

    first: int
    rounds: int
    small: int
    corner: int
    seconds: float


DEFAULT = Budget(first=1000, rounds=7, small=100, corner=1000, seconds=10.0)
THOROUGH = Budget(first=1000, rounds=11, small=1000, corner=20_000, seconds=60.0)


def check_sampler(
    function: Sampler,
    contract: str = "chain",
    *,
    thorough: bool = False,
    level: float = LEVEL,
    seed: int = 0,
    time_limit: float | None = None,
    arrays: str = "numpy",
    budget: Budget | None = None,
) -> Report:
    """Check whether a sampler is lossless.

    The sampler is run on a ladder of small problems whose laws are known exactly, alone and in batches of different
    problems, and on degenerate ones. Each law is tested by an e-process (:mod:`simulations.conformance.sequential`)
    that is looked at after every round; ``level`` is shared evenly among all of them, so that a lossless sampler is
    called anything else with probability at most ``level``.

    Parameters
    ----------
    function : callable
        With the signature of its contract, see :mod:`simulations.conformance.problems`. Its trials are independent
        given the inputs, and all its randomness comes from ``rng``.
    contract : {"chain", "multi", "generate"}
    thorough : bool
        Spend a minute instead of seconds.
    level : float
        The false-alarm probability of the whole check.
    seed : int
        Of the inputs and of the generators that the sampler is handed. The same seed gives the same report where time
        does not run out.
    time_limit : float, optional
        Seconds, default 10 and 60 with ``thorough``. A call that takes longer is a hang.
    arrays : {"numpy", "torch"}
        What the verifier is handed.
    budget : Budget, optional
        In place of the one that ``thorough`` picks.

    Raises
    ------
    InvalidInput
        If the contract or kind of arrays is unknown, or the level, seed or time limit cannot be used.
    """
    check_arguments(contract, level, seed, time_limit, arrays)
    spent = budget or (THOROUGH if thorough else DEFAULT)
    seconds = spent.seconds if time_limit is None else time_limit
    subject = Subject(function, arrays, seconds)
    return _Check(subject, contract, spent, level, seed, seconds).run(_name(function))


def assert_lossless(
    function: Sampler, contract: str = "chain", *, thorough: bool = False, level: float = LEVEL, seed: int = 0
) -> Report:
    """Check a sampler in a test: raises AssertionError with the whole report unless it is lossless.

    Raises
    ------
    AssertionError
        If the verdict is another than "lossless".
    InvalidInput
        As :func:`check_sampler`.
    """
    report = check_sampler(function, contract, thorough=thorough, level=level, seed=seed)
    if not report.is_lossless:
        raise AssertionError(str(report))
    return report


class _Check:
    """One check in progress."""

    def __init__(self, subject: Subject, contract: str, budget: Budget, level: float, seed: int, seconds: float):
        self.start = time.monotonic()
        self.deadline = self.start + seconds
        self.subject, self.contract, self.budget, self.level, self.seed = subject, contract, budget, level, seed
        self.rng = np.random.default_rng(seed)
        self.ladder, self.corners = ladder(contract), corners(contract)
        self.watches = {name: Watch(problem, name) for name, problem in self.ladder.items()}
        self.corner_watches = {name: Watch(problem, name) for name, problem in self.corners.items()}
        self.small = Watch(_example(self.ladder), next(n for n, p in self.ladder.items() if p is _example(self.ladder)))
        tests = 1 + sum(watch.tests for watch in (*self.watches.values(), *self.corner_watches.values()))
        self.share = level / tests
        self.notes: list[str] = []
        self.out_of_time = False

    def run(self, name: str) -> Report:
        """Every stage in turn; the first that finds the contract broken on an ordinary problem is the last."""
        findings: list[Finding] = []
        try:
            repeated, small = self._repeat(), self._small_batches()
            findings += (self._rounds() or small) + repeated
        except (Crash, InvalidOutput) as error:
            findings.append(broken(error, "on an ordinary problem", "output", ""))
        else:
            findings += self._corners()
        instance = diagnosis = None
        biased = next((f for f in findings if f.verdict == Verdict.BIASED and f.detector != "dice"), None)
        if biased:
            watch = (self.watches | self.corner_watches)[biased.problem]
            watches = [watch, *(other for other in self.watches.values() if other is not watch)]
            seconds = 0.5 * (self.deadline - self.start)
            found = investigate(self.subject, watches, findings, self.level, self.rng, seconds)
            findings, instance, diagnosis = found.findings, found.instance, found.diagnosis
        self._note_manners(slow=not findings)
        power, hardest = max((watch.detectable(self.share), name) for name, watch in self.watches.items())
        return Report(
            subject=name,
            contract=self.contract,
            verdict=self._verdict(findings, power),
            findings=tuple(_summed(findings)),
            notes=tuple(self.notes),
            instance=instance,
            acceptance=tuple(self._acceptance()),
            diagnosis=diagnosis,
            power=power,
            hardest=hardest,
            level=self.level,
            trials=self.subject.trials,
            calls=self.subject.calls,
            seed=self.seed,
            seconds=time.monotonic() - self.start,
        )

    def _verdict(self, findings: list[Finding], power: float) -> Verdict:
        if findings:
            return findings[0].verdict
        return Verdict.INCONCLUSIVE if self.out_of_time and power > SMALLEST_POWER else Verdict.LOSSLESS

    def _repeat(self) -> list[Finding]:
        """The same inputs with the same generator, and with another."""
        problem = _example(self.ladder)
        if isinstance(problem, GenerateProblem):
            results = [self.subject.generate(problem, REPEATED, seed).tokens for seed in (1, 1, 2)]
        else:
            inputs = problem.inputs(REPEATED, self.rng)
            results = [self.subject.verify(problem, inputs, seed).tokens for seed in (1, 1, 2)]
        if not np.array_equal(results[0], results[1]):
            self.notes.append("the same inputs and the same rng give different output: it draws from elsewhere")
        elif np.array_equal(results[0], results[2]):
            text = f"two calls on the same {REPEATED} trials with different rngs return the same: it ignores rng"
            return [Finding(Verdict.BIASED, "dice", self.small.name, text)]
        return []

    def _small_batches(self) -> list[Finding]:
        """Batches of one to three trials, on every problem once and then on one of them."""
        for index, problem in enumerate(self.ladder.values()):
            sample(self.subject, problem, 1 + index % 3, self.rng)
        for index in range(self.budget.small):
            if self._time_left() < 0.8 * (self.deadline - self.start):
                break
            self.small.see(sample(self.subject, self.small.problem, 1 + index % 3, self.rng), adjacent=False)
        if self.small.law.log_value < -np.log(self.share):
            return []
        text = f"on '{self.small.name}' the law is wrong in batches of one to three trials"
        return [Finding(Verdict.BIASED, "small batches", self.small.name, text)]

    def _rounds(self) -> list[Finding]:
        """Each problem alone and mixed with others of its shape, in doubling rounds until something alarms."""
        groups = defaultdict(list)
        for watch in self.watches.values():
            groups[watch.problem.shape].append(watch)
        for number in range(self.budget.rounds):
            trials = self._affordable(self.budget.first << number)
            if trials == 0:
                break
            for group in groups.values():
                self._see(group, trials)
            findings = [finding for watch in self.watches.values() for finding in self._alarms(watch)]
            if findings:
                return sorted(findings, key=lambda finding: DETECTORS.index(finding.detector))
        return []

    def _see(self, group: list[Watch], trials: int) -> None:
        problems = [watch.problem for watch in group if not isinstance(watch.problem, GenerateProblem)]
        alone = trials // 2 if len(problems) > 1 else trials
        for watch in group:
            watch.see(sample(self.subject, watch.problem, alone, self.rng), adjacent=True)
        if len(problems) > 1:
            for index, part in sample_mixed(self.subject, problems, trials - alone, self.rng):
                group[index].see(part, adjacent=False)

    def _corners(self) -> list[Finding]:
        """Degenerate problems, alone in a batch of one and of many."""
        findings = []
        for name, watch in self.corner_watches.items():
            try:
                for trials in (1, self._corner_trials()):
                    watch.see(sample(self.subject, watch.problem, trials, self.rng), adjacent=True)
            except (Crash, InvalidOutput) as error:
                findings.append(broken(error, f"on '{name}'", "corner", name))
                if "did not return" in str(error):
                    break
            findings += self._alarms(watch)
        return findings

    def _corner_trials(self) -> int:
        """As many as a tenth of the time allows, for a slow sampler; at least some."""
        rate = self.subject.seconds / max(self.subject.trials, 1)
        limit = 0.1 * (self.deadline - self.start) / (rate * len(self.corners))
        return max(min(self.budget.corner, int(limit)), 16)

    def _alarms(self, watch: Watch) -> list[Finding]:
        values = watch.log_values()
        alarms = [detector for detector, value in values.items() if value >= -np.log(self.share)]
        if "law" in alarms and "neighbours" in alarms:
            alarms.remove("neighbours")  # of course: their joint law was stated with the same marginals
        return [
            Finding(_meaning(watch, detector, self.corners), detector, watch.name, _sentence(watch, detector))
            for detector in alarms
        ]

    def _time_left(self) -> float:
        return self.deadline - time.monotonic()

    def _affordable(self, trials: int) -> int:
        """Trials on each problem that the time still allows, at the rate so far; 0 if a round is not worth it."""
        rate = (time.monotonic() - self.start) / max(self.subject.trials, 1)
        affordable = int(self._time_left() / (rate * len(self.ladder)))
        if affordable >= trials:
            return trials
        self.out_of_time = True
        return affordable if affordable >= 2 else 0

    def _acceptance(self) -> list[Acceptance]:
        rows = []
        for name, watch in self.watches.items():
            if watch.acceptance and watch.acceptance[0].trials:
                seen = watch.acceptance[0]
                low, high = binomial_interval(seen.successes, seen.trials, 1e-3)
                rows.append(Acceptance(name, seen.successes / seen.trials, low, high, seen.bound, seen.trials))
        return rows

    def _note_manners(self, *, slow: bool) -> None:
        if self.subject.changes_inputs:
            self.notes.append("it changes its inputs in place: whoever reads them afterwards reads something else")
        if self.subject.printed:
            self.notes.append(f"it prints: {self.subject.printed} characters were swallowed")
        below = [row for row in self._acceptance() if row.is_slow]
        if slow and below:
            worst = min(below, key=lambda row: row.measured / row.bound)
            self.notes.append(
                f"it accepts less than a lossless sampler can: {worst.measured:.3f} of {worst.bound:.3f} "
                f"on '{worst.problem}'; nothing is lost but speed"
            )


def _example(problems: Mapping[str, Problem]) -> Problem:
    """The first problem with three tokens: the smallest on which every defect of one position shows."""
    return next(problem for problem in problems.values() if problem.num_tokens == 3)


def _summed(findings: list[Finding]) -> list[Finding]:
    """One finding for each detector and meaning: the first, with the number of further problems."""
    groups: dict[tuple[Verdict, str], list[Finding]] = defaultdict(list)
    for finding in findings:
        groups[finding.verdict, finding.detector].append(finding)
    return [
        replace(group[0], text=group[0].text + (f"; likewise on {len(group) - 1} more problems" * (len(group) > 1)))
        for group in groups.values()
    ]


def _meaning(watch: Watch, detector: str, degenerate: Mapping[str, Problem]) -> Verdict:
    impossible = detector == "law" and watch.law.log_value == float("inf")
    return Verdict.INVALID if impossible and watch.name in degenerate else Verdict.BIASED


def _sentence(watch: Watch, detector: str) -> str:
    trials = f"{watch.law.trials:,} trials"
    if detector == "acceptance":
        index, seen = max(enumerate(watch.acceptance), key=lambda item: item[1].log_value)
        what = f"the first {index + 1} drafts" if index else "the first draft"
        what = what if isinstance(watch.problem, ChainProblem) else "a draft"
        share = seen.successes / seen.trials
        return (
            f"on '{watch.name}' {what} passed in {share:.4f} of {trials}: no lossless sampler exceeds {seen.bound:.4f}"
        )
    if detector == "neighbours":
        return f"on '{watch.name}' trials next to each other in a batch depend on each other, seen in {trials}"
    if watch.law.log_value == float("inf"):
        return f"on '{watch.name}' a token of target probability 0 was emitted, seen in {trials}"
    return f"on '{watch.name}' the law of the emitted tokens is not the target's, seen in {trials}"


def _name(function: Sampler) -> str:
    module, name = getattr(function, "__module__", ""), getattr(function, "__qualname__", "")
    return f"{module}:{name}" if module and name else repr(function)


def check_arguments(contract: str, level: float, seed: int, time_limit: float | None, arrays: str) -> None:
    """Refuse what :func:`check_sampler` cannot use.

    Raises
    ------
    InvalidInput
        Naming the argument.
    """
    if contract not in CONTRACTS:
        raise InvalidInput(f"contract is {contract!r}: it must be one of {', '.join(CONTRACTS)}")
    if not 0 < level < 1:
        raise InvalidInput(f"level is {level!r}: it must lie strictly between 0 and 1, such as 1e-6")
    if not isinstance(seed, int | np.integer) or seed < 0:
        raise InvalidInput(f"seed is {seed!r}: it must be an integer >= 0")
    if time_limit is not None and not 0 < time_limit < float("inf"):
        raise InvalidInput(f"time_limit is {time_limit!r}: it must be a positive number of seconds")
    if arrays not in ("numpy", "torch"):
        raise InvalidInput(f"arrays is {arrays!r}: it must be 'numpy' or 'torch'")
