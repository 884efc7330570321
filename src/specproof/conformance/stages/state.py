"""A check in progress: what it has seen, and what it may still spend. Every stage is handed this."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from specproof.conformance.arguments import Settings
from specproof.conformance.contract import Contract
from specproof.conformance.evidence.known_laws import Law, prepare_known
from specproof.conformance.evidence.small_batches import KINDS, KNOWN_IN, SmallBatches
from specproof.conformance.evidence.watch import Watch
from specproof.conformance.problems.ladder import PROBLEMS, degenerate_problems, ladder
from specproof.conformance.report.check_result import Instance
from specproof.conformance.subject.sampler_under_test import Sampler, Subject

SMALL, ROUNDS, BESIDE, END = 0.2, 0.68, 0.77, 0.9
"""Shares of the time limit after which small batches, rounds, batches with degenerate rows, and looking into a failure
end: what is running then has still to return."""
LONG_ROUNDS = 0.74
"""Rounds end after this share in contracts in which no rows stand beside degenerate ones, and of slow samplers."""
TOGETHER, TESTS_TOGETHER = 0.25, 2 + len(KNOWN_IN)
"""The tests of all problems together have this share of the level, as they see most; all others have the rest."""
HANG = 0.5
"""A call that takes this share of the time limit is a hang; the first may take the whole of it."""


def known_laws(contract: Contract) -> tuple[Law, ...]:
    """List the laws of the known defects of a contract."""
    from specproof.conformance.defects import DEFECTS

    return tuple(it.law for it in DEFECTS if it.contract is contract and it.law is not None)


class Check:
    """One check in progress.

    Attributes
    ----------
    settings : Settings
        What was asked for.
    subject : Subject
        The function under test.
    rng : numpy.random.Generator
        The source of all randomness of the check.
    watches, degenerate : dict of str to Watch
        The evidence on the ordinary and the degenerate problems, by their names.
    small : SmallBatches
        The evidence in small batches, on ``small_names`` of the ordinary problems.
    share : float
        The share of the level that each test of one problem, one kind of batch or the generators has.
    share_together : float
        The share of the level that each of the tests of all problems together has.
    unsupported : set of str
        What the function turned out not to know of, see :attr:`specproof.conformance.problems.Problem.unusual`.
    notes : list of str
        What is worth knowing.
    reproducible : bool
        Whether the same inputs and the same generator gave the same output so far.
    remembers : str
        How it was shown that the output depends on earlier calls, in a sentence; empty if it was not.
    known_laws : tuple of callable
        The laws of the known defects of the contract, which are bet on.
    instance : Instance or None
        What shows a fault that needs no explanation; None until there is one.
    began : float
        The moment when the check began.
    start : float
        The moment since when its time is counted, after the first call.
    """

    def __init__(self, function: Sampler, settings: Settings) -> None:
        contract, budget = settings.contract, settings.budget
        self.settings, self.budget = settings, budget
        self.subject = Subject(function, settings.arrays, HANG * budget.seconds, budget.first_call)
        self.rng = np.random.default_rng(settings.seed)
        asked = {name: it for name, it in ladder(contract).items() if self.subject.takes(it.required)}
        self.watches = {name: Watch(problem, name) for name, problem in asked.items()}
        self.degenerate = {name: Watch(problem, name) for name, problem in degenerate_problems(contract).items()}
        self.small_names = PROBLEMS[contract].in_small_batches
        self.small = SmallBatches({name: self.watches[name].problem for name in self.small_names})
        self.instance: Instance | None = None
        laws = sum(watch.tests for watch in (*self.watches.values(), *self.degenerate.values()))
        laws += len(KINDS) * len(self.beside())  # large batches, and all small ones but those of one
        checks = len(self.watches) if settings.problem else 1  # those of all problems in turn share the level
        self.share = (1 - TOGETHER) * settings.level / (laws + self.small.tests + checks)  # and the generators
        self.share_together = TOGETHER * settings.level / (TESTS_TOGETHER * checks)
        self.notes: list[str] = []
        self._keep_only(settings.problem)
        self.unsupported: set[str] = set()
        self.reproducible, self.remembers = True, ""
        self.known_laws = known_laws(contract)
        for watch in self.watches.values():  # before the clock starts
            watch.problem.prepare()
            prepare_known(watch, self.known_laws)
        self.began = self.start = time.monotonic()

    def _keep_only(self, problem: str | None) -> None:
        """Leave out all problems but one; its tests keep their share of the level, as do those of checks of others."""
        if problem is not None:
            if problem not in self.watches:
                needed = " and ".join(sorted(ladder(self.settings.contract)[problem].required))
                self.notes.append(f"it has no parameter {needed}, without which '{problem}' cannot be asked")
            self.watches, self.degenerate = {it: self.watches[it] for it in self.watches if it == problem}, {}

    def beside(self) -> dict[tuple[int, ...], list[str]]:
        """Group the degenerate problems beside whose rows ordinary ones are run, by their shapes."""
        groups: dict[tuple[int, ...], list[str]] = defaultdict(list)
        for name, watch in self.degenerate.items():
            problem = watch.problem
            if problem.batched is not None and problem.num_tokens > 1 and not problem.unusual:
                groups[problem.shape].append(name)
        return dict(groups)

    @property
    def end_of_rounds(self) -> float:
        """Give the moment when rounds have to end."""
        return self.after(ROUNDS if self.beside() else LONG_ROUNDS)

    def is_alarm(self, log_value: float) -> bool:
        """Whether an e-process of this logarithm refutes what it tests; nothing does if a loss is declared."""
        return self._refutes(log_value, self.share)

    def is_alarm_together(self, log_value: float) -> bool:
        """Whether an e-process of all problems together refutes that they have the target's laws."""
        return self._refutes(log_value, self.share_together)

    def _refutes(self, log_value: float, share: float) -> bool:
        return self.settings.within is None and bool(log_value >= -np.log(share))

    def after(self, share: float) -> float:
        """Give the moment when this share of the time limit is over."""
        return self.start + share * self.budget.seconds

    def refuse(self, left_out: Mapping[str, Sequence[str]]) -> None:
        """Note which problems the function does not support, by the reason."""
        for reason, names in left_out.items():
            listed = ", ".join(dict.fromkeys(names))
            were = "was" if len(names) == 1 and names[0].startswith("'") else "were"
            self.notes.append(f"it does not support {listed}, which {were} left out ({reason})")
