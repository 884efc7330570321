"""Calls one after the other: the text keeps its law, and the number of calls in cases by hand."""

from __future__ import annotations

import numpy as np
import pytest

from specproof import InvalidInput, TabularModel, random_tabular_pair
from specproof.theory.chain import MarkovChain
from specproof.theory.distribution import Array
from specproof.theory.independent.calls_by_enumeration import calls_by_enumeration, reaching
from specproof.theory.independent.sequences_by_enumeration import sequences_by_enumeration

PAIR = random_tabular_pair(2, 5, np.random.default_rng(135), concentration=0.5)


def kseq(draft: TabularModel, target: TabularModel) -> list[Array]:
    return sequences_by_enumeration(draft, target, 2, 2, "kseq")


def independent(law: list[float]) -> TabularModel:
    return MarkovChain(law, [law, law], 6).tabulate()


def test_the_text_keeps_its_law_from_call_to_call() -> None:
    found = calls_by_enumeration(*PAIR, 3, kseq)
    assert found.law == pytest.approx(PAIR[1].joint().sum(axis=(3, 4)), abs=1e-12)
    mean = found.calls / found.law
    assert mean.min() >= 1.0
    assert mean.max() <= 3.0


def test_equal_models_take_a_call_for_every_three_tokens() -> None:
    same = independent([0.5, 0.5])
    assert calls_by_enumeration(same, same, 3, kseq).calls.sum() == pytest.approx(1.0, abs=1e-12)
    assert calls_by_enumeration(same, same, 4, kseq).calls.sum() == pytest.approx(2.0, abs=1e-12)


def test_disjoint_models_take_a_call_for_every_token() -> None:
    found = calls_by_enumeration(independent([1.0, 0.0]), independent([0.0, 1.0]), 3, kseq)
    assert found.calls[1, 1, 1] == pytest.approx(3.0, abs=1e-12)


def test_reaching_adds_up_the_blocks_that_are_long_enough() -> None:
    blocks = kseq(*PAIR)
    found = reaching(blocks)
    assert [part.ndim for part in found] == [0, 1, 2]
    assert found[0] == pytest.approx(1.0, abs=1e-12)
    assert found[1].sum() == pytest.approx(1.0 - blocks[0].sum(), abs=1e-12)
    assert found[2] == pytest.approx(blocks[2].sum(axis=-1), abs=0)


def test_a_text_past_the_horizon_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"^tokens is 5: it must lie in 1\.\.horizon - 1 = 4"):
        calls_by_enumeration(*PAIR, 5, kseq)
