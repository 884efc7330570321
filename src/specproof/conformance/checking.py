"""Check a stranger's sampler: whether it is lossless, and how far from the best acceptance."""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from specproof.conformance.arguments import DEFAULT, LEVEL, THOROUGH, Budget, check_arguments
from specproof.conformance.evidence.sampling import Watch, calls, sample, sample_mixed
from specproof.conformance.evidence.small_batches import SINGLE, SmallBatches
from specproof.conformance.evidence.streams import REPEATED, STREAMS, Dice, is_repeatable
from specproof.conformance.explanation.investigation import Case, Explanation, broken, explain_small, investigate
from specproof.conformance.problems import ChainProblem, GenerateProblem
from specproof.conformance.problems.ladder import SMALL_PROBLEMS, corners, ladder
from specproof.conformance.report.report import Acceptance, Finding, Report, Verdict
from specproof.conformance.subject.sampler_under_test import (
    BATCH,
    Crash,
    Hang,
    InvalidOutput,
    Refusal,
    Sampler,
    Subject,
)
from specproof.simulations.statistics import binomial_interval
from specproof.theory.errors import InvalidInput

SMALLEST_POWER = 0.2
"""A check that could not see a bias of this total variation, for want of time or by its budget, is inconclusive."""
DETECTORS = ("law", "acceptance", "pairs")
"""What sees a wrong law, the most telling first."""
REPEATING = 0.03
"""Share of the time limit that repeating may take, twice."""
SMALL, ROUNDS, END = 0.2, 0.6, 0.9
"""Shares of the time limit after which small batches, rounds, and looking into a failure end: what is running then has
still to return."""
HANG = 0.5
"""A call that takes this share of the time limit is a hang; the first may take the whole of it."""


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
    require_seed: bool = False,
) -> Report:
    """Check whether a sampler is lossless.

    The sampler is run on a ladder of small problems whose laws are known exactly, alone and in batches of different
    problems, in small batches, and on degenerate ones. Each law is tested by an e-process
    (:mod:`specproof.conformance.evidence.e_processes`) that is looked at after every round; ``level`` is shared evenly
    among all of them, so that a lossless sampler fails with probability at most ``level``.

    Parameters
    ----------
    function : callable
        With the signature of its contract, see :mod:`specproof.conformance.problems`. Its trials are independent
        given the inputs, and all its randomness comes from ``rng``. It may raise
        :class:`~specproof.conformance.subject.sampler_under_test.Unsupported` on problems that it cannot be asked.
    contract : {"chain", "multi", "generate"}
    thorough : bool
        Spend a minute instead of seconds.
    level : float
        The false-alarm probability of the whole check.
    seed : int
        Of the inputs and of the generators that the sampler is handed. The same seed gives the same report where time
        does not run out.
    time_limit : float, optional
        Seconds, default 10 and 60 with ``thorough``. A call that takes half as long, the first
        that takes as long, is a hang.
    arrays : {"numpy", "torch"}
        What the verifier is handed.
    budget : Budget, optional
        In place of the one that ``thorough`` picks.
    require_seed : bool
        Whether output that differs for the same inputs and the same ``rng`` is invalid: the contract says that all
        randomness comes from ``rng``. By default it is noted, as no law need be wrong for it.

    Raises
    ------
    InvalidInput
        If the function cannot be called, the contract or kind of arrays is unknown, or the level, seed, time limit or
        budget cannot be used.
    """
    if not callable(function):
        raise InvalidInput(f"function is {_name(function)}: give a function of the contract {contract}")
    check_arguments(contract, level, seed, time_limit, arrays)
    if budget is not None and not isinstance(budget, Budget):
        raise InvalidInput(f"budget is a {type(budget).__name__}: give a Budget, such as Budget(500, 2, 20, 100, 60.0)")
    spent = budget or (THOROUGH if thorough else DEFAULT)
    spent = spent if time_limit is None else replace(spent, seconds=time_limit)
    subject = Subject(function, arrays, HANG * spent.seconds)
    return _Check(subject, contract, spent, level, seed, require_seed=require_seed).run(_name(function))


def assert_lossless(
    function: Sampler,
    contract: str = "chain",
    *,
    thorough: bool = False,
    level: float = LEVEL,
    seed: int = 0,
    time_limit: float | None = None,
    arrays: str = "numpy",
    budget: Budget | None = None,
    require_seed: bool = False,
) -> Report:
    """Check a sampler in a test: raises AssertionError with the whole report unless it is lossless.

    The arguments are those of :func:`check_sampler`.

    Raises
    ------
    AssertionError
        If the verdict is another than "lossless".
    InvalidInput
        As :func:`check_sampler`.
    """
    report = check_sampler(
        function,
        contract,
        thorough=thorough,
        level=level,
        seed=seed,
        time_limit=time_limit,
        arrays=arrays,
        budget=budget,
        require_seed=require_seed,
    )
    if not report.is_lossless:
        raise AssertionError(str(report))
    return report


class _Check:
    """One check in progress."""

    def __init__(
        self, subject: Subject, contract: str, budget: Budget, level: float, seed: int, *, require_seed: bool
    ) -> None:
        self.subject, self.contract, self.budget, self.level, self.seed = subject, contract, budget, level, seed
        self.require_seed = require_seed
        self.rng = np.random.default_rng(seed)
        self.watches = {name: Watch(problem, name) for name, problem in ladder(contract).items()}
        self.corners = {name: Watch(problem, name) for name, problem in corners(contract).items()}
        self.small = SmallBatches({name: self.watches[name].problem for name in SMALL_PROBLEMS[contract]})
        laws = sum(watch.tests for watch in (*self.watches.values(), *self.corners.values()))
        self.share = level / (laws + len(self.small.evidence) + 1)  # one of them is of the dice
        self.notes: list[str] = []
        self.reproducible = True
        for watch in self.watches.values():
            if not isinstance(watch.problem, GenerateProblem):
                watch.problem.inputs(1, np.random.default_rng(0))  # compiled, or laid out, before the clock starts
        self.start = time.monotonic()

    def run(self, name: str) -> Report:
        """Every stage in turn; the first that finds the contract broken on an ordinary problem is the last."""
        findings: list[Finding] = []
        try:
            self._try_all()
            repeated, small = self._repeat(), self._small_batches()
            findings += self._rounds() or small
            # Where a law is wrong, that rows hardly vary is a part of it.
            findings += [finding for finding in repeated if not findings or finding.detector != "rows"]
        except (Crash, InvalidOutput) as error:
            findings.append(broken(error, "on an ordinary problem", "output", ""))
        else:
            findings += self._corners()
        found = self._explain(findings)
        self._note_manners(slow=not found.findings)
        powers = [(watch.law.detectable(self.share), name) for name, watch in self.watches.items()]
        power, hardest = max(powers, default=(math.inf, ""))
        return Report(
            subject=name,
            contract=self.contract,
            verdict=self._verdict(found.findings, power),
            findings=tuple(_summed(found.findings)),
            notes=tuple(self.notes),
            instance=found.instance,
            acceptance=tuple(self._acceptance()),
            diagnosis=found.diagnosis,
            power=power,
            hardest=hardest,
            power_of_small=self.small.power(self.share),
            power_of_corners=max(
                (watch.law.detectable(self.share) for watch in self.corners.values() if np.sum(watch.law.law > 0) > 1),
                default=math.inf,
            ),
            reproducible=self.reproducible,
            level=self.level,
            trials=self.subject.trials,
            calls=self.subject.calls,
            seed=self.seed,
            seconds=time.monotonic() - self.start,
        )

    def _verdict(self, findings: list[Finding], power: float) -> Verdict:
        if findings:
            return findings[0].verdict
        return Verdict.INCONCLUSIVE if power > SMALLEST_POWER else Verdict.LOSSLESS

    def _explain(self, findings: list[Finding]) -> Explanation:
        alarm = next((f for f in findings if f.verdict == Verdict.BIASED and f.detector not in ("dice", "rows")), None)
        if alarm is None:
            return Explanation(findings, None, None)
        watch = (self.watches | self.corners)[alarm.problem]
        others = [other for other in self.watches.values() if other is not watch]
        small = self._small_alarms()
        single = [finding for kind, finding in small if kind == SINGLE]
        case = Case(self.subject, watch, others, self.level, self.rng, self._after(END), single)
        if alarm.detector == "small batches":
            kind = small[0][0]
            return explain_small(case, findings, kind, self.small.evidence[kind, alarm.problem].counts)
        return investigate(case, findings)

    def _try_all(self) -> None:
        """One to three trials of every problem; those that the function refuses are left out."""
        for index, (name, watch) in enumerate(list(self.watches.items())):
            if time.monotonic() > self._after(ROUNDS):
                break
            try:
                sample(self.subject, watch.problem, 1 + index % 3, self.rng)
            except Refusal as error:
                self._refuse(name, error)
                del self.watches[name]

    def _refuse(self, name: str, error: Refusal) -> None:
        self.notes.append(f"it does not support '{name}', which was left out ({error})")

    def _repeat(self) -> list[Finding]:
        """The same inputs with the same generator twice, on a small and on the last problem, and with many others."""
        if not self.watches or time.monotonic() > self._after(ROUNDS):
            return []
        tried = list(self.watches.values())
        example, last = next((watch for watch in tried if watch.problem.num_tokens == 3), tried[0]), tried[-1]
        trials = min(self._repeatable(), REPEATED)
        sizes = ((example.problem, trials), (last.problem, min(trials, BATCH)))
        self.reproducible = all(is_repeatable(self.subject, problem, size, self.rng) for problem, size in sizes)
        if not self.reproducible:
            text = "the same inputs and the same rng give different output: it draws from elsewhere"
            self.notes.append(text)
            return [Finding(Verdict.INVALID, "seed", "", text)] if self.require_seed else []
        streams = min(self._repeatable() // REPEATED, STREAMS)
        return self._other_dice(example, streams) if streams > 1 else []

    def _other_dice(self, example: Watch, streams: int) -> list[Finding]:
        dice = Dice(self.subject, example.problem, streams, self.rng)
        if fault := dice.shared():
            return [Finding(Verdict.BIASED, "dice", example.name, fault)]
        fault = dice.unused(self.share)
        return [Finding(Verdict.BIASED, "rows", example.name, fault)] if fault else []

    def _repeatable(self) -> int:
        """Trials that there is time to repeat, as far as is known."""
        return max(int(REPEATING * self.budget.seconds / self.subject.batches.pace), 1)

    def _small_batches(self) -> list[Finding]:
        names = [name for name in SMALL_PROBLEMS[self.contract] if name in self.watches]
        self.small.run(self.subject, names, self.budget.small, self._after(SMALL), self.rng)
        return [finding for _, finding in self._small_alarms()]

    def _small_alarms(self) -> list[tuple[str, Finding]]:
        """What is wrong in small batches, and of which kind these are."""
        return [
            (
                kind,
                Finding(
                    Verdict.BIASED,
                    "small batches",
                    name,
                    f"on '{name}' the law is wrong in batches of {kind}, seen in {law.trials:,} trials",
                ),
            )
            for (kind, name), law in self.small.evidence.items()
            if self._is_alarm(law.log_value)
        ]

    def _rounds(self) -> list[Finding]:
        """Each problem alone and mixed with others of its shape, in doubling rounds until something alarms."""
        groups = defaultdict(list)
        for watch in self.watches.values():
            groups[watch.problem.shape].append(watch)
        pace = 0.0
        for number in range(self.budget.rounds):
            trials = self._affordable(self.budget.first << number, pace or self.subject.batches.pace)
            if trials == 0:
                break
            start, before = time.monotonic(), self.subject.trials
            for group in groups.values():
                self._see(group, trials)
            pace = (time.monotonic() - start) / max(self.subject.trials - before, 1)
            findings = [finding for watch in self.watches.values() for finding in self._alarms(watch)]
            if findings:
                return _telling(findings)
        return []

    def _see(self, group: list[Watch], trials: int) -> None:
        problems = [watch.problem for watch in group if not isinstance(watch.problem, GenerateProblem)]
        alone = trials // 2 if len(problems) > 1 else trials
        for watch in group:
            for part in calls(self.subject, watch.problem, alone, self.rng):
                watch.see_batch(part, self.rng)
        if len(problems) > 1:
            for index, part in sample_mixed(self.subject, problems, trials - alone, self.rng):
                group[index].see_mixed(part, self.rng)

    def _corners(self) -> list[Finding]:
        """Degenerate problems, alone in a batch of one and of many."""
        findings = []
        for name, watch in self.corners.items():
            if time.monotonic() > self._after(END):
                self.notes.append(f"no time was left for the degenerate problems from '{name}' on")
                break
            try:
                for trials in (1, self._corner_trials()):
                    watch.see_batch(sample(self.subject, watch.problem, trials, self.rng), self.rng)
            except Refusal as error:
                self._refuse(name, error)
            except (Crash, InvalidOutput) as error:
                findings.append(broken(error, f"on '{name}'", "corner", name))
                if isinstance(error, Hang):
                    self.notes.append(f"the degenerate problems after '{name}', on which it hung, were left out")
                    break
            findings += _telling(self._alarms(watch))
        return findings

    def _corner_trials(self) -> int:
        """As many as a tenth of the time allows, for a slow sampler."""
        limit = 0.1 * self.budget.seconds / (self.subject.batches.pace * len(self.corners))
        return max(min(self.budget.corner, int(limit)), 1)

    def _alarms(self, watch: Watch) -> list[Finding]:
        return [
            Finding(_meaning(watch, detector, self.corners), detector, watch.name, _sentence(watch, detector))
            for detector, value in watch.log_values().items()
            if self._is_alarm(value)
        ]

    def _is_alarm(self, log_value: float) -> bool:
        return bool(log_value >= -np.log(self.share))

    def _after(self, share: float) -> float:
        """The moment when this share of the time limit is over."""
        return self.start + share * self.budget.seconds

    def _affordable(self, trials: int, pace: float) -> int:
        """Trials on each problem that the rounds' time still allows at this pace; 0 if a round is not worth it."""
        affordable = int((self._after(ROUNDS) - time.monotonic()) / (pace * max(len(self.watches), 1)))
        if affordable >= trials:
            return trials
        return affordable if affordable >= 2 else 0

    def _acceptance(self) -> list[Acceptance]:
        rows = []
        looks = max(self.budget.rounds, 1) * max(len(self.watches), 1)
        for name, watch in self.watches.items():
            if watch.acceptance and watch.acceptance[0].trials:
                seen = watch.acceptance[0]
                low, high = binomial_interval(seen.successes, seen.trials, self.level / looks)
                rows.append(Acceptance(name, seen.successes / seen.trials, low, high, seen.bound, seen.trials))
        return rows

    def _note_manners(self, *, slow: bool) -> None:
        if self.subject.changes_inputs:
            self.notes.append("it changes its inputs in place: whoever reads them afterwards reads something else")
        if self.subject.printed:
            self.notes.append(f"it prints: {self.subject.printed} bytes were swallowed")
        below = [row for row in self._acceptance() if row.is_slow]
        if slow and below:
            worst = min(below, key=lambda row: row.measured / row.bound)
            self.notes.append(
                f"it accepts less than a lossless sampler can: {worst.measured:.3f} of {worst.bound:.3f} "
                f"on '{worst.problem}'; nothing is lost but speed"
            )


def _telling(findings: list[Finding]) -> list[Finding]:
    """The most telling first; pairs say nothing more where a law is wrong already."""
    found = sorted(findings, key=lambda finding: DETECTORS.index(finding.detector))
    return [finding for finding in found if finding.detector != "pairs" or found[0].detector != "law"]


def _summed(findings: list[Finding]) -> list[Finding]:
    """One finding for each detector and meaning: the first, with the number of further problems."""
    groups: dict[tuple[Verdict, str], list[Finding]] = defaultdict(list)
    for finding in findings:
        groups[finding.verdict, finding.detector].append(finding)
    return [replace(first, text=first.text + _likewise(len(more))) for first, *more in groups.values()]


def _likewise(more: int) -> str:
    if more == 0:
        return ""
    return "; likewise on one more problem" if more == 1 else f"; likewise on {more} more problems"


def _meaning(watch: Watch, detector: str, degenerate: Mapping[str, Watch]) -> Verdict:
    impossible = detector == "law" and watch.law.log_value == float("inf")
    return Verdict.INVALID if impossible and watch.name in degenerate else Verdict.BIASED


def _sentence(watch: Watch, detector: str) -> str:
    trials = f"{watch.law.trials:,} trials"
    if detector == "acceptance":
        index, seen = max(enumerate(watch.acceptance), key=lambda item: item[1].log_value)
        what = f"the first {index + 1} drafts were emitted" if index else "the first draft was emitted"
        what = what if isinstance(watch.problem, ChainProblem) else "a draft was accepted"
        share = seen.successes / seen.trials
        return f"on '{watch.name}' {what} in {share:.4f} of {trials}: no lossless sampler exceeds {seen.bound:.4f}"
    if detector == "pairs":
        return f"on '{watch.name}' pairs of trials of a batch do not have the law of two target draws, seen in {trials}"
    if watch.law.log_value == float("inf"):
        return f"on '{watch.name}' a token of target probability 0, up to underflow, was emitted, seen in {trials}"
    return f"on '{watch.name}' the law of the emitted tokens is not the target's, seen in {trials}"


def _name(function: Sampler) -> str:
    module, name = getattr(function, "__module__", ""), getattr(function, "__qualname__", "")
    if module and name:
        return f"{module}:{name}"
    try:
        return repr(function)
    except Exception:  # a stranger's object need not have a name that can be read
        return f"a {type(function).__name__}"
