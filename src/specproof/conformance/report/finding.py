"""What can be wrong with a sampler, and what can see it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from specproof.conformance.subject.failures import Crash, InvalidOutput, Refusal


class Verdict(StrEnum):
    """What a check says about a sampler.

    ``lossless``: every test of every law passed; :attr:`Report.detectable_bias` says what could have escaped.
    ``within``: a rule that is declared to be lossy is no farther from the target than declared.
    ``biased``: some law is not the target's, at the stated false-alarm level. ``invalid output`` and ``crashes``: the
    contract is broken. ``inconclusive``: for want of time, by the budget, or because every problem was refused, a bias
    of 0.2 could have escaped; or the check itself broke off.

    Examples
    --------
    >>> from specproof.conformance import Verdict
    >>> [str(verdict) for verdict in Verdict]
    ['lossless', 'within', 'biased', 'invalid output', 'crashes', 'inconclusive']
    """

    LOSSLESS = "lossless"
    WITHIN = "within"
    BIASED = "biased"
    INVALID = "invalid output"
    CRASHES = "crashes"
    INCONCLUSIVE = "inconclusive"


class Detector(StrEnum):
    """What saw that something is wrong.

    ``law``, ``acceptance`` and ``pairs`` of trials are the tests on ordinary problems; ``small batches`` is the law in
    batches of one, two, three or some more; ``batch`` is what else a batch has to do with it; ``degenerate`` is a
    degenerate problem, and ``beside`` are ordinary rows in one batch with those of such; ``output`` is what was
    returned or raised; ``uniforms`` and ``rows`` are calls with different generators; ``seed`` is calls with the same
    generator, ``calls`` the same after other calls; ``process`` is how its process ended.

    Examples
    --------
    >>> from specproof.conformance import Detector
    >>> Detector("law") is Detector.LAW
    True
    """

    LAW = "law"
    ACCEPTANCE = "acceptance"
    PAIRS = "pairs"
    SMALL_BATCHES = "small batches"
    BATCH = "batch"
    DEGENERATE = "degenerate"
    BESIDE = "beside"
    OUTPUT = "output"
    UNIFORMS = "uniforms"
    ROWS = "rows"
    SEED = "seed"
    CALLS = "calls"
    PROCESS = "process"


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Attributes
    ----------
    verdict : Verdict
        What it means for the sampler.
    detector : Detector
        What saw it.
    problem : str
        The name of the problem it was seen on; empty if it was no particular one.
    text : str
        One sentence.
    cause : BaseException or None
        The exception that the function raised, if it did; left behind where a finding goes to another process.

    Examples
    --------
    >>> from specproof.conformance import Detector, Finding, Verdict
    >>> finding = Finding(Verdict.BIASED, Detector.LAW, "flat", "The law is not the target's.")
    >>> str(finding.verdict), finding.problem
    ('biased', 'flat')
    """

    verdict: Verdict
    detector: Detector
    problem: str
    text: str
    cause: BaseException | None = field(default=None, compare=False, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        """Leave the exception out: that of a stranger need not be one that can be pickled."""
        return {**vars(self), "cause": None}


def broken(error: Crash | InvalidOutput, where: str, detector: Detector, problem: str) -> Finding:
    """Say what an exception of :mod:`specproof.conformance.subject.failures` means for the function."""
    verdict = Verdict.CRASHES if isinstance(error, Crash) else Verdict.INVALID
    text = f"{where}: {error}"
    if isinstance(error, Refusal):
        text += "; it took the problem before: an adapter takes any n, and loops over the trials where it must"
    return Finding(verdict, detector, problem, text, error.__cause__ if isinstance(error, Crash) else None)
