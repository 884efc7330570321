"""A table with a row for each prefix gives what the table of the kit gives."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from audit.prefixes import IMPOSSIBLE, Prefixes
from specproof.conformance.problems import next_token_law
from specproof.theory.chain import TabularModel

MODEL = TabularModel([[0.5, 0.5], [[0.25, 0.75], [1.0, 0.0]], np.full((2, 2, 2), 0.5) * [[[0.4, 1.6]], [[1.0, 1.0]]]])
LENGTH = 8


def asked(prefixes: Prefixes, tokens: tuple[int, ...]) -> np.ndarray:
    """The logits after the id that stands first and these tokens."""
    ids = np.array([MODEL.num_states, *tokens])
    row = min(int(prefixes.weights[: ids.size] @ (ids + 1)), len(prefixes.rows) - 1)
    return prefixes.rows[row]


@pytest.mark.parametrize("tokens", [each for n in range(5) for each in itertools.product(range(2), repeat=n)])
def test_each_prefix_has_the_law_of_the_table(tokens: tuple[int, ...]) -> None:
    logits = asked(Prefixes.of(MODEL, LENGTH), tokens)
    law = np.exp(logits) / np.exp(logits).sum()
    np.testing.assert_allclose(law[:2], next_token_law(MODEL, [tokens])[0], atol=1e-12)
    assert law[2] == 0.0, "the id that stands first was possible"
    assert logits.min() == IMPOSSIBLE
