"""What tools print by the mean acceptance alone is right where every position accepts alike, and off where not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from specproof.simulations.claims.real.block_efficiency import configurations
from specproof.simulations.claims.real.efficiency_tables import beside_marginal_rates
from specproof.simulations.traces.configuration import Configuration
from specproof.simulations.traces.pricing import Prices, jackknife, jackknife_of

ONES = tuple(Configuration("single", 1, length) for length in (2, 4))
PROMPTS = ("a", "b", "c")


def priced(tokens_per_call: list[float]) -> Prices:
    calls = np.ones((2, 3)) * [3.0, 4.0, 5.0]
    return Prices(ONES, PROMPTS, calls * np.reshape(tokens_per_call, (2, 1)), calls)


def rates(share: float) -> pd.DataFrame:
    """Each prompt has this share of its positions accepted; the rows are in another order than the prices."""
    sizes = {"c": 30, "a": 20, "b": 10}
    return pd.DataFrame([{"prompt": name, "overlap": share * size, "positions": size} for name, size in sizes.items()])


def test_where_every_position_accepts_alike_the_product_is_right() -> None:
    rows = beside_marginal_rates(priced([1.75, 1.9375]), rates(0.5))
    for row, printed in zip(rows, (1.75, 1.9375), strict=True):
        assert row["acceptance"] == pytest.approx(0.5)
        assert row["printed"] == pytest.approx(printed)
        assert [row[name] for name in ("printed_over_true", "ratio_low", "ratio_high")] == pytest.approx([1.0] * 3)


def test_where_half_of_a_text_is_certain_and_half_is_hopeless_the_product_is_too_large() -> None:
    """T tokens accepted for certain take T / 3 calls and T others T: 1.5 tokens a call, where 1.75 are printed."""
    row = beside_marginal_rates(priced([1.5, 5 / 3]), rates(0.5))[0]
    assert row["draft_length"] == 2
    assert row["tokens_per_call"] == pytest.approx(1.5)
    assert row["printed_over_true"] == pytest.approx(1.75 / 1.5)


def test_other_rules_than_one_draft_have_no_such_line() -> None:
    asked = configurations()
    sums = np.ones((len(asked), 3))
    rows = beside_marginal_rates(Prices(tuple(asked), PROMPTS, 2 * sums, sums), rates(0.5))
    assert [row["draft_length"] for row in rows] == [4, 8]


def test_a_function_of_sums_has_the_interval_of_a_ratio() -> None:
    above, below = np.array([3.0, 5.0, 4.0]), np.array([2.0, 2.5, 1.0])
    found = jackknife_of(lambda sums: sums[0] / sums[1], np.stack([above, below]))
    assert found == pytest.approx(jackknife(above, below))
    mean = jackknife_of(lambda sums: sums[0] / sums[1], np.stack([above, np.ones(3)]))
    assert mean.estimate == pytest.approx(above.mean())
    assert mean.half_width == pytest.approx(4.302653 * above.std(ddof=1) / 3**0.5, rel=1e-6)
