"""The running evidence against each exact law of a problem."""

from __future__ import annotations

import math

import numpy as np

from specproof.conformance.evidence.coupled_bets import CoupledEvidence
from specproof.conformance.evidence.dependence import PairEvidence
from specproof.conformance.evidence.e_processes import AcceptanceEvidence, LawEvidence
from specproof.conformance.problems.answers import Sample
from specproof.conformance.problems.problem import Problem
from specproof.conformance.report.finding import Detector

NEAR = 0.5
"""Bets see the drafts where draft and target have so much in common: elsewhere they cost more than they tell."""


class Watch:
    """Everything that is tested on one problem.

    Attributes
    ----------
    law : LawEvidence
        The evidence against the completed law.
    coupled : CoupledEvidence or None
        The evidence against the completed law that sees the drafts; None if the kit hands out none.
    mixed : array of int
        Those of its counts that come from batches of several problems.
    pairs : PairEvidence
        The evidence against the independence of two trials of a batch.
    acceptance : list of AcceptanceEvidence
        The evidence against each bound on acceptance; empty in a contract that does not show drafts.
    emitted : array of int
        The counts of the flattened emitted law.
    """

    def __init__(self, problem: Problem, name: str) -> None:
        self.problem, self.name = problem, name
        self.law = LawEvidence(problem.target_law.reshape(-1), problem.draft_law.reshape(-1))
        near = np.minimum(problem.draft_law, problem.target_law).sum() >= NEAR
        self.coupled = CoupledEvidence(problem) if near and problem.draft_chances.size > 1 else None
        self.mixed = np.zeros_like(self.law.counts)
        self.pairs = PairEvidence(problem)
        self.acceptance = [AcceptanceEvidence(float(bound)) for bound in problem.acceptance_bounds]
        self.emitted = np.zeros(int(np.prod(problem.emitted_shape)), dtype=np.int64)

    @property
    def tests(self) -> int:
        """The number of e-processes."""
        return 2 + (self.coupled is not None) + len(self.acceptance)

    def see(self, seen: Sample) -> None:
        """Count further trials."""
        self.law.add(seen.completed)
        if self.coupled is not None:
            self.coupled.add(seen.drafts, seen.emitted)
        self.emitted += np.bincount(seen.emitted, minlength=self.emitted.size)
        for evidence, accepted in zip(self.acceptance, self.problem.acceptances(seen.accepted), strict=True):
            evidence.add(accepted)

    def see_batch(self, seen: Sample, rng: np.random.Generator) -> None:
        """Count further trials that were one call, in this order."""
        self.see(seen)
        self.pairs.add(seen.first, seen.completed, rng)

    def see_mixed(self, seen: Sample, rng: np.random.Generator) -> None:
        """Count further trials of one call that had other problems too."""
        self.see_batch(seen, rng)
        self.mixed += np.bincount(seen.completed, minlength=self.mixed.size)

    def detectable_bias(self, level: float) -> float:
        """Give the bias that would have been seen in these trials, in total variation."""
        coupled = self.coupled.detectable_bias(level) if self.coupled else math.inf
        return min(self.law.detectable_bias(level), coupled)

    def log_values(self) -> dict[Detector, float]:
        """Give the evidence by detector, in logarithms."""
        accepted = max((evidence.log_value for evidence in self.acceptance), default=0.0)
        return {
            Detector.LAW: max(self.law.log_value, self.coupled.log_value if self.coupled else 0.0),
            Detector.ACCEPTANCE: accepted,
            Detector.PAIRS: self.pairs.log_value,
        }
