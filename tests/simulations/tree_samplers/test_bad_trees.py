"""Trees that samplers of distinct siblings refuse, and draws of more distinct drafts than there are tokens."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from specproof.simulations.samplers import recursive_without_replacement
from specproof.simulations.samplers.distinct import draw_distinct
from specproof.simulations.tree_samplers import TREE_SAMPLERS
from specproof.simulations.tree_samplers.drafted import Drafted, RandomDraws
from specproof.simulations.tree_samplers.registry import simulate_calls
from specproof.simulations.tree_samplers.tree_drafting import drafted_tree
from specproof.theory.chain import MarkovChain
from specproof.theory.errors import InvalidInput

HALF = np.array([0.5, 0.5])
MODEL = MarkovChain(HALF, [HALF, HALF], 3)


def law(_: object) -> np.ndarray:
    return HALF


def verify(drafts: list[list[int]]) -> object:
    tokens = np.array(drafts)
    uniforms = np.full((len(drafts), tokens.shape[1] + 1), 0.5)
    return recursive_without_replacement.verify(HALF, HALF, tokens, uniforms)


REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    **{
        f"more children than tokens, {draws}": (
            lambda draws=draws: drafted_tree(draws, law, 3, 1, np.full((3, 1), 0.5)),
            "num_drafts is 3, and only 2 first tokens can be drafted: take as many distinct drafts at most",
        )
        for draws in ("distinct", "top-and-one")
    },
    "more children than tokens, hub": (
        lambda: drafted_tree("hub", lambda _: np.array([0.0, 1.0]), 2, 1, np.full((2, 1), 0.5)),
        "num_drafts is 2, and only 1 first tokens can be drafted",
    ),
    "more children than tokens, simulated": (
        lambda: simulate_calls("sequoia", MODEL, MODEL, 3, 1, 10, np.random.default_rng(0)),
        "num_drafts is 3, and only 2 first tokens can be drafted",
    ),
    "more drafts than tokens": (
        lambda: draw_distinct(HALF, 3, np.full(2, 0.5)),
        "num_drafts is 3, and 2 tokens have no more distinct drafts: draft fewer",
    ),
    "more drafts than tokens, verified": (
        lambda: verify([[0, 1, 0]]),
        "num_drafts is 3, and 2 tokens have no more distinct drafts: draft fewer",
    ),
    "no such draws": (
        lambda: drafted_tree("magic", law, 2, 1, np.full((2, 1), 0.5)),
        "draws is 'magic': it must be one of distinct, greedy, hub",
    ),
    "rows are missing": (
        lambda: drafted_tree("sequences", law, 3, 2, np.full((2, 2), 0.5)),
        r"uniforms has shape \(2, 2\): 3 drafts of 2 tokens take \(3, 2\)",
    ),
    "depth 0": (
        lambda: drafted_tree("sequences", law, 3, 0, np.full((3, 1), 0.5)),
        "length is 0: it must be an integer >= 1",
    ),
    "no drafts": (lambda: drafted_tree("sequences", law, 0, 1, np.full((3, 1), 0.5)), "num_drafts is 0"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_drafted_or_verified_is_one_line(name: str) -> None:
    call, message = REFUSED[name]
    with pytest.raises(InvalidInput, match=f"^{message}") as caught:
        call()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["sequoia", "traversal-distinct"])
def test_a_sampler_for_distinct_siblings_refuses_equal_ones(name: str) -> None:
    draws = RandomDraws(np.random.default_rng(0))
    for branches in (((0, ()), (0, ())), ((0, ()), (1, ()), (0, ()))):
        with pytest.raises(InvalidInput, match=r"^drafts.* is 0, as is drafts.0., and siblings are distinct here"):
            TREE_SAMPLERS[name](Drafted(branches, law, law), draws)
    assert TREE_SAMPLERS[name](Drafted(((0, ()), (1, ())), law, law), draws)[0] in (0, 1)
