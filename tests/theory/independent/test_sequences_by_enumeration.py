"""The enumeration that the recursions are checked against, itself checked against one by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from chains import chains
from hypothesis import given, settings
from hypothesis import strategies as st
from spectr import RULES, chain_pairs, enumerate_by_hand

from specproof.theory.chain import random_markov_pair, random_tabular_pair
from specproof.theory.errors import InvalidInput
from specproof.theory.independent.sequences_by_enumeration import completed, enumerable, sequences_by_enumeration

TOLERANCE = 1e-12
RNG = np.random.default_rng(73)
TABLES = random_tabular_pair(3, 4, RNG)


@given(pair=chain_pairs(horizon=3), num_drafts=st.integers(1, 2), length=st.integers(1, 2))
@settings(max_examples=20, deadline=None)
@pytest.mark.parametrize("name", RULES)
def test_blocks_against_all_forests(name: str, pair: Any, num_drafts: int, length: int) -> None:
    draft, target = (chain.tabulate() for chain in pair)
    blocks = sequences_by_enumeration(draft, target, num_drafts, length, name)
    joint, lengths = enumerate_by_hand(RULES[name], *pair, num_drafts, length)
    assert [block.ndim for block in blocks] == list(range(1, length + 2))
    assert [block.sum() for block in blocks] == pytest.approx(lengths, abs=TOLERANCE)
    assert completed(blocks, target) == pytest.approx(joint, abs=TOLERANCE)
    assert joint == pytest.approx(_prefix(target.joint(), length + 1), abs=TOLERANCE), "lossless"


@pytest.mark.parametrize("verifier", enumerable())
@pytest.mark.parametrize("name", [name for name, pair in chains().items() if pair[0].horizon > 2])
def test_every_rule_is_lossless_on_every_chain(name: str, verifier: str) -> None:
    draft, target = (chain.tabulate() for chain in chains()[name])
    for count in (1, 2, 3):
        found = completed(sequences_by_enumeration(draft, target, count, 2, verifier), target)
        assert found == pytest.approx(_prefix(target.joint(), 3), abs=TOLERANCE)


@pytest.mark.parametrize("verifier", enumerable())
def test_tabular_models_are_lossless(verifier: str) -> None:
    draft, target = TABLES
    found = completed(sequences_by_enumeration(draft, target, 2, 3, verifier), target)
    assert found == pytest.approx(target.joint(), abs=TOLERANCE)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((*TABLES, 0, 2, "kseq"), "num_drafts is 0"),
        ((*TABLES, 2, 0, "kseq"), "length is 0"),
        ((*TABLES, 2, "a", "kseq"), "length is 'a': it must be an integer >= 1"),
        ((*TABLES, 2, 4, "kseq"), r"length is 4: it must lie in 1\.\.horizon - 1 = 3"),
        ((*TABLES, 5, 3, "kseq"), r"3\^\(5 \* 3\) sets of drafts are too many"),
        ((*TABLES, 2, 2, "best"), "verifier is 'best'"),
        ((*random_markov_pair(3, 4, RNG), 2, 2, "kseq"), "TabularModel"),
        ((TABLES[0], random_tabular_pair(2, 4, RNG)[1], 2, 2, "kseq"), "num_states"),
    ],
)
def test_what_cannot_be_enumerated_is_refused(arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        sequences_by_enumeration(*arguments)


def _prefix(joint: np.ndarray, tokens: int) -> np.ndarray:
    """The joint law of the first tokens."""
    return joint.sum(axis=tuple(range(tokens, joint.ndim)))
