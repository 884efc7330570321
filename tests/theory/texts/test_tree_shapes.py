"""Reach weights of trees of any shape: over all texts they come to what recursive rejection accepts there."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from specproof.simulations.claims.trees.certain_optimum import as_shape, sibling_length
from specproof.theory.chain import TabularModel, random_tabular_pair
from specproof.theory.distribution import Array
from specproof.theory.texts import by_shape
from specproof.theory.trees.shapes import Place, child_measure


def chances(draft: TabularModel, target: TabularModel, text: tuple[int, ...], children: int) -> Array:
    """The chance of each child at each token of a text, given that it comes next."""
    found = np.zeros((children, len(text)))
    for place, token in enumerate(text):
        wanted = float(target.conditionals[place][text[:place]][token])
        for child in range(children):
            entered = child_measure(draft, target, {text[:place]: 1.0}, child)
            found[child, place] = entered.get(text[: place + 1], 0.0) / wanted
    return found


@pytest.mark.parametrize(
    "places", [((0,), (1,), (0, 0)), ((0,), (0, 0), (0, 1)), ((0,), (1,), (2,), (0, 0), (0, 1), (2, 0))]
)
def test_over_all_texts_they_sum_to_what_is_accepted(places: tuple[Place, ...]) -> None:
    draft, target = random_tabular_pair(3, 3, np.random.default_rng(4))
    joint = target.joint().sum(axis=2)
    total = sum(
        float(joint[text]) * by_shape(chances(draft, target, text, 3), places)[0, 1:].sum()
        for text in product(range(3), repeat=2)
    )
    assert total == pytest.approx(sibling_length(draft, target, as_shape(list(places))), abs=1e-12)
