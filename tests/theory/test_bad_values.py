"""Whatever any argument of a public name is given, the answer is a result or one line that says what is wrong."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from public_arguments import PUBLIC, VALID

from specproof import InvalidInput, MarkovChain, PriorityCoupling, expected_rejections, kseq, rejection_law
from specproof.theory.arrays import MOST_AXES
from specproof.theory.distribution import dirichlet, uniform
from specproof.theory.sequences import block_efficiency, long_run

BAD: tuple[Any, ...] = (
    None,
    True,
    b"bytes",
    np.nan,
    -np.inf,
    -1,
    0,
    -0.5,
    [np.nan, 1.0],
    [np.inf, 0.0],
    [2.0, -1.0],
    [0.0, 0.0],
    [[0.5, 0.5], [0.5]],
    [True, False],
    [],
    [[]],
    {},
    np.zeros((0, 2)),
    np.array(2),
    np.array([0.5, 0.5], dtype=object),
    np.array([None, 1], dtype=object),
    np.array(["0.5", "0.5"]),
    np.array([1 + 0j, 0]),
    np.full((2, 2, 2), 0.5),
    np.ones((1,) * 64),
    range(2),
    5e-324,
    1e308,
    [5e-324, 1.0],
    2**40,
    2**63,
    10**400,
)
"""Values of the wrong kind, shape or size, and right ones at the edge of what a float holds."""


@pytest.mark.parametrize("name", VALID)
def test_a_bad_value_gives_a_result_or_one_line(name: str) -> None:
    for argument in VALID[name]:
        for value in BAD:
            try:
                PUBLIC[name](**{**VALID[name], argument: value})
            except InvalidInput as error:
                message = str(error)
                if "\n" in message or len(message) > 500:
                    pytest.fail(f"{argument} = {value!r}: {message}")


def test_a_law_is_compared_with_as_many_rows_as_it_has() -> None:
    law = kseq([[0.5, 0.5]] * 3, [0.25, 0.75], 2)
    with pytest.raises(InvalidInput, match=r"^target has shape \(2, 2\) and the law \(3, 2\)"):
        law.is_lossless([[0.25, 0.75]] * 2)
    with pytest.raises(InvalidInput, match=r"^tolerance is -1"):
        law.is_lossless([0.25, 0.75], -1)


def test_a_table_has_no_more_axes_than_an_array() -> None:
    one = MarkovChain([1.0], [[1.0]], MOST_AXES)
    assert one.tabulate().joint().shape == (1,) * MOST_AXES
    assert block_efficiency(one.tabulate(), one.tabulate(), 2, MOST_AXES - 1, "kseq") == MOST_AXES
    with pytest.raises(InvalidInput, match=rf"^conditionals\[{MOST_AXES}\] has {MOST_AXES + 1} axes"):
        MarkovChain([1.0], [[1.0]], MOST_AXES + 1).tabulate()


def test_a_long_run_says_where_a_chain_underflows() -> None:
    tiny = MarkovChain([0.5, 0.5], [[1.0, 5e-324], [5e-324, 1.0]], 3)
    with pytest.raises(InvalidInput, match=r"^draft and target leave token 1 as the context"):
        long_run(tiny, tiny, 1, 1, "single")


def test_odds_that_no_product_of_floats_holds_have_a_long_run() -> None:
    rows = np.array([[1 - 1e-200, 1e-200, 0.0], [0.5, 0.5 - 1e-200, 1e-200], [0.0, 0.5, 0.5]])
    chain = MarkovChain([1.0, 0.0, 0.0], rows, 3)
    assert long_run(chain, chain, 1, 1, "single").contexts == pytest.approx([1.0, 2e-200, 4e-400], rel=1e-12)


def test_a_tiny_concentration_puts_each_row_on_one_token() -> None:
    rows = dirichlet(5, 1e-320, np.random.default_rng(0), 1000)
    assert np.array_equal(np.sort(rows, axis=-1), np.tile([0.0, 0.0, 0.0, 0.0, 1.0], (1000, 1)))
    assert np.all(rows.mean(axis=0) > 0.1)


def test_a_size_that_no_memory_holds_is_refused_before_it_is_asked_for() -> None:
    with pytest.raises(InvalidInput, match=r"^vocabulary is 1000000000000000: that makes an array of"):
        uniform(10**15)
    with pytest.raises(InvalidInput, match=r"^size is \(100000, 100000\): that makes an array of"):
        dirichlet(2, 1.0, np.random.default_rng(0), (10**5, 10**5))


def test_broadcasting_no_rows_warns_of_nothing() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert PriorityCoupling(np.zeros((0, 2)), [0.5, 0.5], 2).acceptance.shape == (0,)


def test_a_horizon_whose_rates_no_memory_holds_is_refused() -> None:
    endless = MarkovChain([0.5, 0.5], [[0.5, 0.5]] * 2, 10**12)
    for function in (expected_rejections, rejection_law):
        with pytest.raises(InvalidInput, match=r"^horizon is 1000000000000: that makes an array of"):
            function(endless, endless)
