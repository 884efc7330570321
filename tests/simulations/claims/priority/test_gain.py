"""What the optimum is worth: the parts of a loss, and the laws an engine would sample from."""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest

from specproof.simulations.claims.claim import Settings
from specproof.simulations.claims.example_pairs import random_rows
from specproof.simulations.claims.priority import gain
from specproof.simulations.claims.real.positions import row_by_row
from specproof.simulations.evidence import ClaimVerdict, Method
from specproof.simulations.experiments.cell import CellContext
from specproof.theory.distribution import softmax
from specproof.theory.independent.sequences_by_enumeration import enumerable
from specproof.theory.verifiers import VERIFIERS

PAIR = (np.array([0.4, 0.3, 0.2, 0.1]), np.array([0.1, 0.2, 0.3, 0.4]))


@pytest.mark.parametrize("name", enumerable())
def test_the_parts_of_a_loss_are_the_events_they_are_called_after(name: str) -> None:
    """Over all pairs of drafts: a draft lies outside the cut and none such is accepted; mass of the cut replaced."""
    draft, target = PAIR
    drafts = np.array(list(product(range(4), repeat=2)))
    chance = draft[drafts].prod(axis=1)
    accepted = VERIFIERS[name].given_drafts(draft, target, drafts)
    cut = gain.minimum_cut(draft, target, 2)
    assert 0 < cut.sum() < 4, "one of the parts would be empty"
    wanted = ~cut[drafts]
    passed = chance @ (wanted.any(axis=1) - (accepted * wanted).sum(axis=1))
    replaced = target[cut].sum() - chance @ (accepted * ~wanted).sum(axis=1)
    found = gain.measure(draft, target)
    np.testing.assert_allclose(found[f"{name}_2_passed"], passed, atol=1e-14)
    np.testing.assert_allclose(found[f"{name}_2_replaced"], replaced, atol=1e-14)


def test_temperatures_and_cuts_are_those_of_the_logits() -> None:
    logits = np.random.default_rng(0).normal(size=(3, 40))
    law = softmax(logits)
    np.testing.assert_allclose(gain.filtered(law, 0.6, gain.WHOLE), softmax(logits, 0.6), atol=1e-15)
    cut = gain.filtered(law, 1.5, 5)
    order = np.argsort(-logits, axis=-1)[:, :5]
    kept = np.take_along_axis(logits, order, axis=-1)
    np.testing.assert_allclose(np.take_along_axis(cut, order, axis=-1), softmax(kept, 1.5), atol=1e-15)
    assert (np.count_nonzero(cut, axis=-1) == 5).all()
    np.testing.assert_array_equal(gain.filtered(law, 1.0, 40), gain.filtered(law, 1.0, 50))


def positions() -> list[dict[str, Any]]:
    columns = row_by_row(gain.measure, *random_rows(np.random.default_rng(1), 6, 8))
    shared = {"pair": "p", "id": "a", "position": 0, "temperature": 1.0, "top": 0}
    return [
        {**shared, "prompt": row % 2, **{key: float(values[row]) for key, values in columns.items()}}
        for row in range(8)
    ]


def conclude(rows: list[dict[str, Any]]) -> Any:
    return gain.conclude(CellContext(np.random.default_rng(0), 1e-9, {"positions": rows}))


def test_random_laws_hold_and_shares_follow() -> None:
    found = conclude(positions())
    assert [row.quantity for row in found.rows if not row.is_expected] == []
    shares = pd.DataFrame(found.tables["shares"])
    np.testing.assert_allclose(shares["lost"], shares["passed_over"] + shares["replaced"], atol=1e-15)
    np.testing.assert_allclose(shares["acceptance"] + shares["lost"], shares["optimum"], atol=1e-15)
    assert shares.loc[shares["verifier"] == "priority", "mean"].to_numpy() == pytest.approx(1.0, abs=1e-12)
    assert (shares["least"] <= shares["mean"]).all()


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("kseq_4_gap", -1e-6),
        ("recursive_2_passed", -1e-6),
        ("single_8_replaced", math.nan),
        ("priority_16_gap", 1e-6),
    ],
)
def test_one_bad_position_refutes(column: str, value: float) -> None:
    rows = positions()
    rows[3][column] = value
    refuted = [
        row for row in conclude(rows).rows if row.verdict == ClaimVerdict.REFUTED and row.method != Method.CONTROL
    ]
    assert refuted


def test_another_pair_is_measured_alone() -> None:
    prompts = tuple({"text": "a", "id": str(index)} for index in range(20))
    pairs = {cell.parameters["group"]["pair"] for cell in gain.CLAIM.cells(Settings(pair="hf:a,b", prompts=prompts))}
    assert pairs == {"hf:a,b"}
    default = gain.CLAIM.cells(Settings(prompts=prompts))
    assert {cell.parameters["group"]["pair"] for cell in default} == set(gain.DRAFTS)
