"""The problems that a sampler is checked on: small, readable, and chosen so that each known kind of defect shows.

What shows a defect (and what hides it): a residual with two tokens of unequal mass (a residual of one token hides
uniforms that are used again and an argmax in place of a draw), target rows that differ by context (context-free ones
hide a wrong row), two drafted positions or more (the first token hides what is wrong with the joint law; five show what
is wrong from the fourth on), a history that matters to the end (a Markov chain hides that its prompt was forgotten, or
that an entry of a cache is stale), batches of different problems (a batch of one hides mixed-up rows), tokens that the
draft prefers and the target all but forbids (they show a leak).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from specproof.conformance.contract import Contract, as_contract
from specproof.conformance.problems.chain_problem import ChainProblem
from specproof.conformance.problems.generate_problem import GenerateProblem
from specproof.conformance.problems.multi_problem import MultiProblem
from specproof.conformance.problems.problem import Problem
from specproof.conformance.problems.round_problem import RoundProblem
from specproof.conformance.problems.tree_problem import TreeProblem

PROBLEMS: Mapping[Contract, type[Problem]] = MappingProxyType(
    {kind.contract: kind for kind in (ChainProblem, MultiProblem, TreeProblem, RoundProblem, GenerateProblem)}
)
"""The kind of problem of each contract."""


def ladder(contract: Contract | str) -> Mapping[str, Problem]:
    """Give the problems whose laws are tested, by name, the smallest first.

    No token of them is impossible, unless what is asked of texts makes it so, or few can follow the draft.

    Raises
    ------
    InvalidInput
        If there is no such contract.

    Examples
    --------
    >>> next(iter(ladder("chain")))
    'two tokens'
    """
    return _ladder(as_contract(contract))


def degenerate_problems(contract: Contract | str) -> Mapping[str, Problem]:
    """Give the degenerate problems, by name: equal laws, disjoint supports, zeros, ties, one token, denormals.

    Raises
    ------
    InvalidInput
        If there is no such contract.
    """
    return _degenerate_problems(as_contract(contract))


@cache
def _ladder(contract: Contract) -> Mapping[str, Problem]:
    return _frozen(PROBLEMS[contract].examples())


@cache
def _degenerate_problems(contract: Contract) -> Mapping[str, Problem]:
    return _frozen(PROBLEMS[contract].degenerates())


def _frozen(problems: Mapping[str, Problem]) -> Mapping[str, Problem]:
    """Make problems read-only: they serve every check of a process."""
    for problem in problems.values():
        for table in problem.tables:
            table.setflags(write=False)
    return MappingProxyType(dict(problems))
