"""Every name that :mod:`specproof.conformance` hands out, imported."""

from specproof.conformance.arguments import CI, DEFAULT, THOROUGH, Budget
from specproof.conformance.checking import assert_lossless, check_sampler
from specproof.conformance.problem_tests import parametrize_with_problems
from specproof.conformance.problems import (
    ChainProblem,
    Contract,
    GenerateProblem,
    MultiProblem,
    RoundProblem,
    TreeProblem,
    next_token_law,
)
from specproof.conformance.problems.drafting import Drafting
from specproof.conformance.report.finding import Detector, Finding, Verdict
from specproof.conformance.report.report import Report
from specproof.conformance.subject.failures import Unsupported
from specproof.conformance.tree import Tree
from specproof.conformance.verdict_errors import NotLossless, NotShownLossless, TooLittleEvidence

__all__ = [
    "CI",
    "DEFAULT",
    "THOROUGH",
    "Budget",
    "ChainProblem",
    "Contract",
    "Detector",
    "Drafting",
    "Finding",
    "GenerateProblem",
    "MultiProblem",
    "NotLossless",
    "NotShownLossless",
    "Report",
    "RoundProblem",
    "TooLittleEvidence",
    "Tree",
    "TreeProblem",
    "Unsupported",
    "Verdict",
    "assert_lossless",
    "check_sampler",
    "next_token_law",
    "parametrize_with_problems",
]
