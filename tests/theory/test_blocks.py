"""Block verification: its law over all drafted blocks against the algorithm enumerated, and what is refused."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from chains import chains

from specproof import InvalidInput, TabularModel, block_verification, random_tabular_pair
from specproof.theory.independent.blocks_by_enumeration import blocks_by_enumeration

TOLERANCE = 1e-12
HALF = [0.5, 0.5]
LENGTH = 2


def tables() -> dict[str, tuple[TabularModel, TabularModel]]:
    long = {name: pair for name, pair in chains().items() if pair[0].horizon > LENGTH}
    found = {name: (draft.tabulate(), target.tabulate()) for name, (draft, target) in long.items()}
    return {**found, "whole history": random_tabular_pair(3, LENGTH + 1, np.random.default_rng(131))}


TABLES = tables()


def call(draft: TabularModel, target: TabularModel) -> tuple[list[np.ndarray], float]:
    """The joint law of what a call emits, by the law for given drafts, and the sum of the mean weights."""
    size = draft.num_states
    blocks, weights = [np.zeros((size,) * n) for n in range(1, LENGTH + 2)], 0.0
    for drafts in product(range(size), repeat=LENGTH):
        rows = [draft.conditionals[level][drafts[:level]] for level in range(LENGTH)]
        laws = [target.conditionals[level][drafts[:level]] for level in range(LENGTH + 1)]
        chance = float(np.prod([row[token] for row, token in zip(rows, drafts, strict=True)]))
        law = block_verification(rows, laws, drafts)
        assert law.accepted.sum() == pytest.approx(1.0, abs=TOLERANCE)
        for level in range(LENGTH + 1):
            blocks[level][drafts[:level]] += chance * law.accepted[level] * law.residual[level]
        weights += chance * float(law.weights[1:].sum())
    return blocks, weights


@pytest.mark.parametrize("name", TABLES)
def test_the_law_is_that_of_the_algorithm(name: str) -> None:
    draft, target = TABLES[name]
    blocks, weights = call(draft, target)
    for found, known in zip(blocks, blocks_by_enumeration(draft, target, LENGTH), strict=True):
        assert found == pytest.approx(known, abs=TOLERANCE)
    accepted = sum(level * block.sum() for level, block in enumerate(blocks))
    assert accepted == pytest.approx(weights, abs=TOLERANCE), "the expected accepted length is the sum of mean weights"


def test_rows_of_blocks_are_the_blocks() -> None:
    rng = np.random.default_rng(132)
    draft, target = rng.dirichlet(np.ones(4), (5, 3)), rng.dirichlet(np.ones(4), (5, 4))
    tokens = rng.integers(4, size=(5, 3))
    together = block_verification(draft, target, tokens)
    for row in range(5):
        alone = block_verification(draft[row], target[row], tokens[row])
        for name in ("weights", "stopping", "residual", "accepted"):
            assert np.array_equal(getattr(together, name)[row], getattr(alone, name))
    ends = together.accepted > 0
    assert together.residual.sum(axis=-1)[ends] == pytest.approx(np.ones(ends.sum()), abs=TOLERANCE)


def test_one_draft_is_the_maximal_coupling() -> None:
    law = block_verification([[0.5, 0.5]], [[0.25, 0.75], HALF], [0])
    assert law.accepted.tolist() == [0.5, 0.5]
    assert law.residual.tolist() == [[0.0, 1.0], HALF]


def test_equal_laws_accept_the_whole_block() -> None:
    law = block_verification([HALF] * 3, [HALF] * 4, [0, 1, 0])
    assert law.accepted.tolist() == [0.0, 0.0, 0.0, 1.0]
    assert law.residual[:3].tolist() == [[0.0, 0.0]] * 3


def test_what_cannot_be_drafted_has_no_weight() -> None:
    law = block_verification([[1.0, 0.0], HALF], [HALF] * 3, [1, 0])
    assert law.weights.tolist() == [1.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("draft", "target", "tokens", "message"),
    [
        (HALF, [HALF], [0], r"^draft has shape \(2,\)"),
        (np.zeros((0, 2)), [HALF], [], r"^draft has shape \(0, 2\)"),
        ([HALF], [HALF], [0], r"^target has shape \(1, 2\): it must be \(2, 2\), one law more than draft"),
        ([HALF], [[0.2, 0.3, 0.5]] * 2, [0], r"^target has shape \(2, 3\)"),
        ([HALF], [HALF, [0.5, 0.6]], [0], r"^row 1 of target sums to 1\.1"),
        ([HALF], [HALF] * 2, [2], r"^tokens\[0\] is 2: it must be a token, in 0\.\.1"),
        ([HALF], [HALF] * 2, [-1], r"^tokens\[0\] is -1"),
        ([HALF], [HALF] * 2, [0, 1], r"^tokens has shape \(2,\)"),
        ([HALF], [HALF] * 2, [0.0], r"^tokens has shape \(1,\) and dtype float64"),
        ([HALF], [HALF] * 2, [[0], [0, 1]], "^tokens is not an array of integers"),
    ],
)
def test_what_is_no_block_is_refused(draft: Any, target: Any, tokens: Any, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        block_verification(draft, target, tokens)
