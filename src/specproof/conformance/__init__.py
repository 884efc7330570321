"""Conformance kit: whether somebody's speculative sampler is lossless, and how far from the best acceptance.

Three lines in a test-suite::

    from specproof.conformance import assert_lossless

    def test_verifier():
        assert_lossless(verify, contract="chain")
"""

from specproof.conformance.arguments import DEFAULT, THOROUGH, Budget
from specproof.conformance.checking import assert_lossless, check_sampler
from specproof.conformance.problems import ChainProblem, GenerateProblem, MultiProblem, next_token_law
from specproof.conformance.report.report import Report, Verdict
from specproof.conformance.subject.sampler_under_test import Unsupported

__all__ = [
    "DEFAULT",
    "THOROUGH",
    "Budget",
    "ChainProblem",
    "GenerateProblem",
    "MultiProblem",
    "Report",
    "Unsupported",
    "Verdict",
    "assert_lossless",
    "check_sampler",
    "next_token_law",
]
