"""The judge refuses what is above the optimum, and its counterexamples are what they are said to be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from specproof.simulations.claims.trees import decided, judge, lossless
from specproof.simulations.claims.trees.small_models import KINDS, SIZES, small_models
from specproof.simulations.claims.worst import Least
from specproof.simulations.evidence import ClaimVerdict, Method
from specproof.simulations.experiments.cell import CellContext
from specproof.theory.trees.rules import TREE_VERIFIERS


def test_a_rule_that_accepts_more_than_is_possible_is_refuted(monkeypatch: pytest.MonkeyPatch) -> None:
    boasting = replace(TREE_VERIFIERS["hierarchical"], is_lossless=True)
    monkeypatch.setattr(TREE_VERIFIERS, "_items", {"hierarchical": boasting})
    least = Least()
    judge.judge(least, judge.alike([[1 / 3, 2 / 3]] * 3, [[2 / 3, 1 / 3]] * 3), 1, 2, "random")
    (row,) = least.rows()
    assert row.verdict == ClaimVerdict.REFUTED
    assert row.estimate == pytest.approx(11 / 9 - 4 / 3)


def test_a_longer_search_finds_less() -> None:
    def search(generations: int) -> float:
        context = CellContext(np.random.default_rng(0), 1e-9)
        found = judge.least_share(context, "exact-match", generations, members=4, positions=1)
        return float(found.tables["shares"][0]["share"])

    assert 0.0 < search(4) < search(0) < 1.0


def test_a_wrong_fraction_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = decided.FAIL[0]._replace(reached=decided.FAIL[0].reached + decided.Fraction(1, 1000))
    monkeypatch.setattr(decided, "FAIL", (wrong,))
    monkeypatch.setattr(decided, "HOLD", ())
    rows = decided.decide(CellContext(np.random.default_rng(0), 1e-9), instances=1).rows
    assert [row.verdict for row in rows if row.quantity.startswith("reached")] == [ClaimVerdict.REFUTED]


def test_every_statement_is_in_the_table() -> None:
    table = decided.table_of_decisions()
    assert [row["holds"] for row in table].count(True) == len(decided.HOLD)
    assert len(table) == len(decided.HOLD) + len(decided.FAIL) + 1


def test_every_rule_has_a_claim_but_the_layer_lifts() -> None:
    names = {claim.id.removesuffix(".lossless") for claim in lossless.CLAIMS}
    assert names == {name for name in TREE_VERIFIERS if not name.endswith("-layers")}


def test_small_models_are_of_every_kind_and_size() -> None:
    drawn = [small_models(np.random.default_rng(0), index) for index in range(len(KINDS) * len(SIZES))]
    assert {(it.kind, it.draft.num_states, it.length, it.num_drafts) for it in drawn} == {
        (kind, *size) for kind in KINDS for size in SIZES
    }
    assert all(it.draft is it.target for it in drawn if it.kind == "equal")
    assert any((table == 0).any() for it in drawn if it.kind == "zeros" for table in it.draft.conditionals)


def test_a_broken_rule_of_each_kind_is_refuted() -> None:
    context = CellContext(np.random.default_rng(0), 1e-9)
    rows = lossless.enumeration(context, "target-walk", 12).rows + lossless.enumeration(context, "spechub", 12).rows
    assert [row.verdict for row in rows if row.method == Method.CONTROL] == [ClaimVerdict.REFUTED] * 2
