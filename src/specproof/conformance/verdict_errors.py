"""What a test is told of a sampler that is not shown to be lossless."""

from __future__ import annotations

from specproof.conformance.report.report import Report


class NotShownLossless(AssertionError):
    """A check ended with another verdict than "lossless"; its message is the report.

    Attributes
    ----------
    report : Report
        What the check found.

    Examples
    --------
    >>> from specproof.conformance import NotLossless, NotShownLossless, TooLittleEvidence
    >>> issubclass(NotLossless, NotShownLossless), issubclass(TooLittleEvidence, NotShownLossless)
    (True, True)
    """

    def __init__(self, report: Report) -> None:
        super().__init__(str(report))
        self.report = report

    def __reduce__(self) -> tuple[type[NotShownLossless], tuple[Report]]:
        return type(self), (self.report,)


class NotLossless(NotShownLossless):
    """A law is not the target's, or the contract is broken; then what the sampler raised, if it did, is the cause.

    Examples
    --------
    >>> from specproof.conformance import Budget, NotLossless, assert_lossless
    >>> budget = Budget(first=200, rounds=1, small=5, degenerate=20, seconds=60.0)
    >>> try:
    ...     assert_lossless(lambda *_: None, budget=budget)
    ... except NotLossless as error:
    ...     print(error.report.verdict)
    invalid output
    """


class TooLittleEvidence(NotShownLossless):
    """Nothing wrong was seen, in fewer trials than would show a bias of 0.2.

    Examples
    --------
    >>> from specproof.conformance import Budget, TooLittleEvidence, assert_lossless
    >>> from specproof.conformance.references import token_by_token
    >>> budget = Budget(first=2, rounds=1, small=1, degenerate=2, seconds=60.0)
    >>> try:
    ...     assert_lossless(token_by_token, budget=budget)
    ... except TooLittleEvidence as error:
    ...     print(error.report.verdict)
    inconclusive
    """


for _error in (NotShownLossless, NotLossless, TooLittleEvidence):
    _error.__module__ = "specproof.conformance"  # where a user finds it: the summary of a test run begins with it
