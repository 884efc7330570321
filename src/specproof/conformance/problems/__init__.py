"""What is asked of a sampler: small known laws, the inputs drawn from them, and the laws that must come out."""

from specproof.conformance.problems.problem import (
    CONTRACTS,
    ChainProblem,
    GenerateProblem,
    Inputs,
    MultiProblem,
    Problem,
    Tokens,
    next_token_law,
)

__all__ = [
    "CONTRACTS",
    "ChainProblem",
    "GenerateProblem",
    "Inputs",
    "MultiProblem",
    "Problem",
    "Tokens",
    "next_token_law",
]
