"""Results are shown on one short line, and compared by identity where they hold arrays."""

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np
import pytest

from specproof import (
    DraftSets,
    KSeqCertificate,
    MarkovChain,
    PriorityCoupling,
    certify,
    certify_different,
    certify_kseq,
    decoding_opt,
    drafted_sets,
    kseq,
    optimal_orders,
    optimal_plan,
    uniform,
    zipf,
)
from specproof.theory.ratio import sort_by_ratio

DRAFT, TARGET = uniform(60), zipf(60)
SETS = DraftSets.iid(DRAFT, 2)

RESULTS: list[Callable[[], object]] = [
    lambda: SETS,
    lambda: DraftSets.iid(DRAFT, 2, exact=True),
    lambda: optimal_plan(SETS, TARGET),
    lambda: optimal_orders(drafted_sets(SETS), TARGET),
    lambda: certify(DRAFT, TARGET, 4),
    lambda: certify(DRAFT[:2] * 30, [0.25, 0.75], 10**6),
    lambda: certify_different([DRAFT, TARGET], TARGET),
    lambda: certify_kseq(DRAFT, TARGET, 4),
    lambda: kseq(DRAFT, TARGET, 4),
    lambda: kseq([DRAFT] * 9, TARGET, 4),
    lambda: decoding_opt(DRAFT, TARGET, 0.1),
    lambda: PriorityCoupling(DRAFT, TARGET, 4),
    lambda: PriorityCoupling([DRAFT] * 9, TARGET, 4),
    lambda: PriorityCoupling(DRAFT, TARGET, 4).intervals,
    lambda: MarkovChain(DRAFT, [TARGET] * 60, 5),
    lambda: MarkovChain(DRAFT[:2] * 30, np.eye(2), 20).tabulate(),
    lambda: sort_by_ratio(DRAFT[np.newaxis], TARGET[np.newaxis]),
]


@pytest.mark.parametrize("make", RESULTS)
def test_a_notebook_shows_a_table_of_the_same(make: Callable[[], object]) -> None:
    result = make()
    shown = result._repr_html_()  # type: ignore[attr-defined]
    assert f"<caption>{type(result).__name__}</caption>" in shown
    assert shown.count('<th scope="row">') == repr(result).count("=") > 0


@pytest.mark.parametrize("make", RESULTS)
def test_any_result_is_shown_on_one_short_line(make: Callable[[], object]) -> None:
    shown = repr(make())
    assert len(shown) < 400
    assert "\n" not in shown
    assert " object at 0x" not in shown


def test_few_numbers_are_shown() -> None:
    assert repr(MarkovChain([0.25, 0.75], np.eye(2), 3)) == (
        "MarkovChain(initial=[0.25, 0.75], transitions=[[1.0, 0.0], [0.0, 1.0]], horizon=3)"
    )
    assert repr(certify_different([[0.5, 0.5]], [0.25, 0.75])) == (
        "Bracket(lower=0.75, upper=0.75, gap=0.0, dual_set=[True, False])"
    )
    assert repr(PriorityCoupling([0.5, 0.5], [0.25, 0.75], 1)) == (
        "PriorityCoupling(draft=[0.5, 0.5], target=[0.25, 0.75], num_drafts=1, acceptance=0.75)"
    )
    assert "rate_unit=<integer of " in repr(certify([0.5, 0.5], [0.25, 0.75], 10**6))


def test_a_result_with_arrays_is_equal_to_itself_alone() -> None:
    results = [result for make in RESULTS if not isinstance(result := make(), tuple | DraftSets | KSeqCertificate)]
    assert len(results) > 5
    for result in results:
        assert result == result
        assert result != copy.copy(result), result
        assert len({result, result}) == 1
