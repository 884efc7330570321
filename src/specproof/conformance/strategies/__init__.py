"""Hypothesis strategies for laws, models and problems: ``@given(problems())`` in anybody's property tests.

Everything shrinks to few tokens, short drafts and simple fractions. Zeros, ties, point masses, equal and disjoint laws
and (of models, at the first position only) entries of 1e-300 and below come up on their own. The ``rough`` ones draw
any floating-point numbers, so that sums round, and are in float32 now and then. :data:`DEGENERATE` holds the pairs that
break careless code, which :func:`with_degenerate` adds to a property as examples.

A strategy that is asked for what cannot be raises InvalidInput, most of them when they are first drawn from.
"""

from specproof.conformance.problems.degenerate_pairs import DEGENERATE, Pair
from specproof.conformance.strategies.degenerate_examples import with_degenerate
from specproof.conformance.strategies.laws import distributions, drafts, pairs
from specproof.conformance.strategies.models import markov_chains, tabular_models
from specproof.conformance.strategies.problems import (
    chain_problems,
    generate_problems,
    multi_problems,
    problems,
    round_problems,
    tree_problems,
)
from specproof.conformance.strategies.rough import MARKOV, rough_chains, rough_laws, rough_pairs

__all__ = [
    "DEGENERATE",
    "MARKOV",
    "Pair",
    "chain_problems",
    "distributions",
    "drafts",
    "generate_problems",
    "markov_chains",
    "multi_problems",
    "pairs",
    "problems",
    "rough_chains",
    "rough_laws",
    "rough_pairs",
    "round_problems",
    "tabular_models",
    "tree_problems",
    "with_degenerate",
]
