"""Block verification enumerated: lossless, with a broken control, and a case by hand."""

from __future__ import annotations

import numpy as np
import pytest

from specproof import InvalidInput, MarkovChain, TabularModel, random_tabular_pair
from specproof.theory.independent.blocks_by_enumeration import blocks_by_enumeration
from specproof.theory.independent.sequences_by_enumeration import completed

HALF = [0.5, 0.5]
PAIR = random_tabular_pair(3, 4, np.random.default_rng(133), concentration=3.0)


@pytest.mark.parametrize("length", [1, 2, 3])
def test_the_rule_is_lossless(length: int) -> None:
    draft, target = PAIR
    joint = target.joint().sum(axis=tuple(range(length + 1, 4)))
    assert completed(blocks_by_enumeration(draft, target, length), target) == pytest.approx(joint, abs=1e-12)


def test_the_residual_of_one_token_is_not() -> None:
    """After token 0, of weight 1/2, token 0 alone has w q > p, and two tokens have q > p."""
    draft = MarkovChain([0.6, 0.2, 0.2], [[0.1, 0.3, 0.6]] * 3, 3).tabulate()
    target = MarkovChain([0.3, 0.35, 0.35], [[0.5, 0.4, 0.1]] * 3, 3).tabulate()
    assert completed(blocks_by_enumeration(draft, target, 2), target) == pytest.approx(target.joint(), abs=1e-12)
    broken = blocks_by_enumeration(draft, target, 2, lambda _, p, q: np.maximum(q - p, 0.0))
    assert np.abs(completed(broken, target) - target.joint()).max() > 1e-3


def test_two_drafts_by_hand() -> None:
    """p = (1/2, 1/2) twice; q = (1/4, 3/4), then (1/2, 1/2): w_1 = 1/2 or 1; a refused 0 is followed by nothing."""
    draft = TabularModel([HALF, [HALF] * 2, [[HALF] * 2] * 2])
    target = TabularModel([[0.25, 0.75], [HALF] * 2, [[HALF] * 2] * 2])
    blocks = blocks_by_enumeration(draft, target, 2)
    assert blocks[0].tolist() == [0.0, 0.25], "half of the blocks that start with 0 end before it"
    assert blocks[1].tolist() == [[0.0, 0.0], [0.0, 0.0]]
    assert blocks[2].sum(axis=-1).tolist() == [[0.125, 0.125], [0.25, 0.25]]


def test_a_length_past_the_horizon_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"^length is 4: it must lie in 1\.\.horizon - 1 = 3"):
        blocks_by_enumeration(*PAIR, 4)
