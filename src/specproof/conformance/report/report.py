"""The result of a check as its user holds it: what was found, in every form that it is shown in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from specproof.conformance.report.check_result import CheckResult
from specproof.conformance.report.plain import as_dict
from specproof.conformance.report.text import short
from specproof.theory.display import html_table


@dataclass(frozen=True)
class Report(CheckResult):
    """The result of :func:`specproof.conformance.check_sampler`.

    Attributes
    ----------
    subject : str
        The name of the function.
    contract : Contract
        The signature that it was checked for.
    verdict : Verdict
        What the check says about it.
    findings : tuple of Finding
        What is wrong, the first that was found first.
    notes : tuple of str
        What is not wrong but worth knowing.
    instance : Instance or None
        The smallest failing instance, if a law is wrong and fresh trials of it show that.
    acceptance : tuple of Acceptance
        How often drafts are emitted; empty in a contract that does not show drafts.
    diagnosis : Diagnosis or None
        The known defect that explains the data, or that none does or too few trials tell, if a law is wrong.
    detectable_bias : float
        A bias of this total variation on any one problem of the ladder, and on no other, would have been seen with
        probability 0.99; infinite if none surely would (in JSON: null).
    hardest : str
        The problem on which it would have been hardest to see.
    detectable_bias_on_all_problems : float
        The same for a bias of this total variation on every problem of the ladder, whatever its direction on each.
    problems_in_small_batches : tuple of str
        The names of the problems that were run in small batches.
    detectable_bias_in_small_batches : dict
        The same for small batches, by how many trials they have, on the problems that were run in them.
    detectable_bias_on_degenerate_problems : float
        The same for the degenerate problems that have more than one outcome.
    reproducible : bool
        Whether the same inputs and the same generator gave the same output.
    within : float or None
        The total variation that was declared for a lossy rule.
    bias_at_most : float
        If one was declared: the upper confidence bound on it over all ordinary problems; :attr:`hardest` has it.
    level : float
        The chance that the check of a lossless sampler alarms.
    trials, calls, seed, seconds
        What was spent, and the seed of it all.

    Examples
    --------
    >>> from specproof.conformance import Budget, check_sampler
    >>> from specproof.conformance.references import token_by_token
    >>> budget = Budget(first=200, rounds=1, small=5, degenerate=20, seconds=60.0)
    >>> report = check_sampler(token_by_token, "chain", budget=budget)
    >>> report.subject, report.findings, report.diagnosis
    ('specproof.conformance.references:token_by_token', (), None)
    """

    def as_dict(self) -> dict[str, Any]:
        """Plain values for strict JSON: what is infinite is None."""
        return as_dict(self)

    def __str__(self) -> str:
        return short(self)

    def _repr_html_(self) -> str:
        said = [(str(finding.verdict), finding.text) for finding in self.findings] or [(str(self.verdict), self.reason)]
        said += [("diagnosis", str(self.diagnosis))] if self.diagnosis else []
        said += [("note", note) for note in self.notes]
        return html_table(f"{self.subject}: {self.verdict}", ("what", "in words"), said)
