"""Which known defect explains the data: exact laws compared by their likelihood."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from specproof.conformance.contract import Contract
from specproof.conformance.evidence.e_processes import LawEvidence
from specproof.conformance.evidence.known_laws import emitted_law
from specproof.conformance.problems.problem import Problem
from specproof.conformance.report.check_result import Diagnosis
from specproof.theory.distribution import Array

LEVEL = 1e-6
"""The chance that the true explanation is thrown out because the data do not look like its law."""
FAVOURED = float(np.log(1000))
"""A defect is named if the data are a thousand times as likely by its law as by the target's, as by that of any known
defect that differs, and as by a law of which nothing is known: to be the last that is not refuted says little where few
trials refute little."""
ANYTHING = np.ones(1)
"""The concentration of a law of which nothing is known, as in
:class:`~specproof.conformance.evidence.e_processes.LawEvidence`."""


class KnownDefect(Protocol):
    """What the diagnosis needs of an entry of the catalogue."""

    @property
    def name(self) -> str:
        """The short name."""

    @property
    def title(self) -> str:
        """The mechanism in one line."""

    @property
    def contract(self) -> Contract:
        """The contract that its sampler fits."""

    @property
    def law(self) -> Callable[[Any], Array] | None:
        """The exact emitted law on a problem, see :mod:`specproof.conformance.problems`; None if it has none."""


class Observed(NamedTuple):
    """Counts of everything that the sampler emitted on one problem."""

    problem: Problem
    counts: NDArray[np.int64]
    """The counts have the flattened emitted law's shape."""
    name: str = ""
    """The problem as a sentence has it; empty if it has no name."""


def diagnose(observed: Sequence[Observed], defects: Iterable[KnownDefect]) -> Diagnosis:
    """Name the defect of largest likelihood among those whose law the data do not refute, if they favour it clearly.

    A defect is refuted by e-processes, one for each problem, that share ``LEVEL`` evenly: so a defect nobody has
    described yet is answered by "none of them" and not by the nearest one. One that leaves the law on the first
    problem, where the alarm was, as it should be explains nothing either, nor does one without a law, which breaks the
    contract instead. Where the laws of several defects are the same on all problems they are named together. Where
    the data do not favour one by ``FAVOURED``, those that are not refuted are listed.

    ``log_likelihood_ratio`` is to the next best defect that differs, refuted or not; infinite if its law excludes
    something that was seen.
    """
    contract = observed[0].problem.contract
    candidates = [defect for defect in defects if defect.contract == contract]
    with np.errstate(over="ignore"):  # quotients of a law of 1e-300 and less
        laws = {
            defect.name: [emitted_law(defect.law, part.problem) for part in observed]
            for defect in candidates
            if defect.law is not None
        }
    scores = {name: _log_likelihood(observed, parts) for name, parts in laws.items()}
    fitting = [
        defect
        for defect in candidates
        if (parts := laws.get(defect.name))
        and _is_biased(observed[0].problem, parts[0])
        and not _is_refuted(observed, parts)
    ]
    if not fitting:
        return Diagnosis("", "", 0.0, (), len(candidates))
    best = max(fitting, key=lambda defect: scores[defect.name])
    same = [name for name in scores if name != best.name and _are_equal(laws[name], laws[best.name])]
    others = [score for name, score in scores.items() if name != best.name and name not in same]
    ratio = float(scores[best.name] - max(others, default=-np.inf))
    if min(ratio, *_over_others(observed, laws[best.name])) < FAVOURED:
        fitting.sort(key=lambda defect: -scores[defect.name])
        return Diagnosis("", "", ratio, (), len(candidates), tuple(defect.name for defect in fitting))
    only = observed[0].name if len(observed) == 1 else ""
    return Diagnosis(best.name, best.title, ratio, tuple(same), len(candidates), only=only)


def _over_others(observed: Sequence[Observed], laws: Sequence[Array]) -> tuple[float, float]:
    """Give the logarithms of the likelihood ratios to the target's law and to one of which nothing is known.

    Of a lossless sampler's emitted law only the completed law is known. That an outcome may be completed in several
    ways is averaged over.
    """
    target = anything = 0.0
    for (problem, counts, _), law in zip(observed, laws, strict=True):
        shape = problem.emitted_shape
        seen, completed = (problem.completed(each.reshape(shape)) for each in (counts.astype(np.float64), law))
        possible = seen > 0
        with np.errstate(divide="ignore", over="ignore"):  # what the target all but excludes was seen: inf
            target += float((seen[possible] * np.log(completed[possible] / problem.target_law[possible])).sum())
        anything += _over_anything(law, counts)
    return target, anything


def _over_anything(law: Array, counts: NDArray[np.int64]) -> float:
    """Give the logarithm of the likelihood ratio to a law of which nothing is known, not even what it excludes."""
    seen, centre = counts > 0, 0.5 * (law + 1.0 / law.size)
    by_centre = float((counts[seen] * np.log(law[seen] / centre[seen])).sum())
    return by_centre - float(_evidence(centre, counts).spreads(ANYTHING)[0])


def _log_likelihood(observed: Sequence[Observed], laws: Sequence[Array]) -> float:
    total = 0.0
    for part, law in zip(observed, laws, strict=True):
        seen = part.counts > 0
        with np.errstate(divide="ignore"):  # what the law excludes was seen: -inf
            total += float((part.counts[seen] * np.log(law[seen])).sum())
    return total


def _is_refuted(observed: Sequence[Observed], laws: Sequence[Array]) -> bool:
    total = 0.0
    for part, law in zip(observed, laws, strict=True):
        total = max(total, _evidence(law, part.counts).log_value)
    return total >= float(np.log(len(observed) / LEVEL))


def _evidence(law: Array, counts: NDArray[np.int64]) -> LawEvidence:
    evidence = LawEvidence(law)
    evidence.counts += counts
    return evidence


def _is_biased(problem: Problem, law: Array) -> bool:
    completed = problem.completed(law.reshape(problem.emitted_shape))
    return not np.allclose(completed, problem.target_law, rtol=0, atol=1e-9)


def _are_equal(first: Sequence[Array], second: Sequence[Array]) -> bool:
    return all(np.allclose(one, other, rtol=0, atol=1e-9) for one, other in zip(first, second, strict=True))
