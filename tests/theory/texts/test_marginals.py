"""Products of marginal acceptance rates: as written out, and not what a call accepts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from specproof import InvalidInput
from specproof.theory.texts import by_depth, products_of_marginals

CHANCES = np.random.default_rng(123).random((3, 9))


def test_products_of_the_means_over_all_starts() -> None:
    rates = [CHANCES[level, level : level + 7].mean() for level in range(3)]
    assert products_of_marginals(CHANCES, 3) == pytest.approx([1.0, *np.cumprod(rates)], abs=1e-15)
    alike = products_of_marginals(CHANCES[0], 3)
    assert alike == pytest.approx(products_of_marginals(np.tile(CHANCES[0], (3, 1)), 3), abs=0)


def test_runs_are_accepted_more_often_than_their_product_says() -> None:
    runs = np.repeat([1.0, 0.0], 50)
    mean = by_depth(runs, 4)[:97].mean(axis=0)
    assert mean[4] - products_of_marginals(runs, 4)[4] > 0.4


def test_constant_chances_are_their_product() -> None:
    assert products_of_marginals(np.full(9, 0.5), 3).tolist() == [1.0, 0.5, 0.25, 0.125]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0.5], 2), "^length is 2 and chances are of 1 tokens"),
        (([1.5], 1), r"^chances\[0\] is 1.5"),
        (([0.5], 0), "^length is 0"),
    ],
)
def test_what_has_no_rates_is_refused(arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        products_of_marginals(*arguments)
