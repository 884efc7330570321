"""Problems of every contract."""

from __future__ import annotations

from hypothesis import strategies as st

from specproof.conformance.contract import as_contract
from specproof.conformance.problems import (
    PROBLEMS,
    ChainProblem,
    Contract,
    GenerateProblem,
    MultiProblem,
    Problem,
    RoundProblem,
    TreeProblem,
)


@st.composite
def chain_problems(draw: st.DrawFn) -> ChainProblem:
    """Draw problems of the contract chain: 1 to 3 drafted tokens, 2 to 4 tokens in the vocabulary."""
    return ChainProblem.drawn(draw)


@st.composite
def multi_problems(draw: st.DrawFn) -> MultiProblem:
    """Draw problems of the contract multi: 1 to 4 drafts."""
    return MultiProblem.drawn(draw)


@st.composite
def tree_problems(draw: st.DrawFn) -> TreeProblem:
    """Draw problems of the contract tree: 1 to 4 nodes beside the root, drawn in any way."""
    return TreeProblem.drawn(draw)


@st.composite
def round_problems(draw: st.DrawFn) -> RoundProblem:
    """Draw problems of the contract round: a prefix of 0 or 1 tokens, 1 or 2 drafts."""
    return RoundProblem.drawn(draw)


@st.composite
def generate_problems(draw: st.DrawFn) -> GenerateProblem:
    """Draw problems of the contract generate: a prompt of 0 or 1 tokens, 1 to 3 tokens to generate."""
    return GenerateProblem.drawn(draw)


def problems(contract: Contract | str | None = None) -> st.SearchStrategy[Problem]:
    """Draw problems of one contract, or of all.

    Parameters
    ----------
    contract : Contract or {"chain", "multi", "tree", "round", "generate"}, optional

    Raises
    ------
    InvalidInput
        If there is no such contract; at once.
    """
    chosen = list(PROBLEMS) if contract is None else [as_contract(contract)]
    return st.one_of([_problems(name) for name in chosen])


@st.composite
def _problems(draw: st.DrawFn, contract: Contract) -> Problem:
    return PROBLEMS[contract].drawn(draw)
