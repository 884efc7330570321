"""The claims about language models, whole, on a pair of tiny random Llamas."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from tiny_llama import save_model

from specproof.reproduce import gather_evidence
from specproof.run_plan import plan_run
from specproof.simulations.claims.claim import Settings
from specproof.simulations.claims.conclusion import ClaimFindings
from specproof.simulations.claims.priority import gain
from specproof.simulations.claims.real import acceptance, block_efficiency, rejection_martingale, tree_calls
from specproof.simulations.claims.real.prompt_groups import GROUP_SIZE, prompt_groups
from specproof.simulations.evidence import ClaimVerdict, Method
from specproof.simulations.experiments.cell import CellContext
from specproof.simulations.experiments.store import Store
from specproof.wanted import Wanted

PROMPTS = GROUP_SIZE + 4
"""One full group and one that is not."""


def prompts(count: int) -> tuple[dict[str, Any], ...]:
    return tuple({"id": str(i), "text": f"w{i % 8} w{i % 3}", "kind": "", "chat": False} for i in range(count))


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("models")
    for name, seed in (("draft", 11), ("target", 12)):
        save_model(folder / name, seed)
    return Settings(pair=f"hf:{folder}/draft,{folder}/target", prompts=prompts(PROMPTS))


@pytest.fixture(scope="module")
def found(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> dict[str, ClaimFindings]:
    store = Store(tmp_path_factory.mktemp("cells"), lambda cell: cell.key(0, 0.0, ""))
    claims = (acceptance.CLAIM, rejection_martingale.CLAIM, block_efficiency.CLAIM, gain.CLAIM, tree_calls.CLAIM)
    parts = gather_evidence(plan_run(Wanted(claims, (), claims), settings), store, jobs=1)
    return {part.claim.id: part for part in parts}


@pytest.mark.parametrize(
    ("claim", "controls"),
    [
        ("real.acceptance", 1),
        ("real.rejection-martingale", 1),
        ("real.block-efficiency", 3),
        ("priority.gain", 2),
        ("real.trees", 3),
    ],
)
def test_the_claim_is_not_refuted_and_its_control_is(
    found: dict[str, ClaimFindings], claim: str, controls: int
) -> None:
    """Some 600 tested positions: the control's rejection rate is off by over 0.3, far beyond the interval at 1e-8."""
    rows = found[claim].rows
    assert found[claim].surprises == []
    assert [row.verdict for row in rows if row.method == Method.CONTROL] == [ClaimVerdict.REFUTED] * controls
    assert len(rows) > 1


def test_every_position_of_every_prompt_is_walked(found: dict[str, ClaimFindings], settings: Settings) -> None:
    positions = pd.DataFrame(found["real.acceptance"].tables["positions"])
    counts = positions.groupby("prompt").size()
    assert counts.index.tolist() == list(range(PROMPTS))
    assert set(counts) == {16}
    assert positions["pair"].eq(settings.pair).all()
    np.testing.assert_allclose(positions["single"], 1 - positions["tv"], atol=1e-12)
    np.testing.assert_allclose(positions["kseq_1"], positions["optimal_1"], atol=1e-12)
    assert 0.05 < positions["tv"].mean() < 0.95, "the pair would show nothing"


def test_every_round_and_test_is_recorded(found: dict[str, ClaimFindings]) -> None:
    tables = found["real.rejection-martingale"].tables
    tests, rounds, summary = (pd.DataFrame(tables[name]) for name in ("tests", "rounds", "decoding"))
    assert set(tests["mode"]) == set(rounds["mode"]) == set(summary["mode"])
    assert len(summary) == 3
    for mode, part in rounds.groupby("mode"):
        row = summary[summary["mode"] == mode].iloc[0]
        tested = tests[tests["mode"] == mode]
        assert (row["tested"], row["rejections"]) == (len(tested), tested["rejected"].sum())
        assert (part["emitted"] >= part["accepted"]).all()
        assert (part["accepted"] <= part["tested"]).all()
        assert row["tokens_per_target_call"] == pytest.approx(part["emitted"].mean())


def test_prompts_are_dealt_out_in_order() -> None:
    parts = prompt_groups(Settings(pair="x", prompts=prompts(2 * GROUP_SIZE + 1)))
    assert [(part["first"], len(part["prompts"])) for part in parts] == [
        (0, GROUP_SIZE),
        (GROUP_SIZE, GROUP_SIZE),
        (2 * GROUP_SIZE, 1),
    ]
    assert [prompt["id"] for part in parts for prompt in part["prompts"]] == [str(i) for i in range(2 * GROUP_SIZE + 1)]
    assert json.loads(json.dumps(parts)) == parts


POSITION = {"pair": "p", "tv": 0.5, "single": 0.5, "kseq_error": 0.0, "recursive_error": 0.0} | {
    f"{rule}_{k}": 1 - 0.5**k
    for rule in ("kseq", "recursive", "recursive_distinct", "optimal")
    for k in acceptance.DRAFT_COUNTS
}


def concluded(*positions: dict[str, Any]) -> Any:
    return acceptance.conclude(CellContext(np.random.default_rng(0), 1e-9, {"positions": list(positions)}))


def test_means_are_over_prompts_with_student_intervals() -> None:
    """Prompt 0 has three positions and counts as much as prompt 1 with one: means 0.4 and 0.42."""
    places = [(0, 0.3), (0, 0.4), (0, 0.5), (1, 0.42)]
    found = concluded(*({**POSITION, "prompt": prompt, "single": value} for prompt, value in places))
    row = found.tables["acceptance"][0]
    assert (row["rule"], row["num_drafts"], row["prompts"], row["positions"]) == ("single", 1, 2, 4)
    # Standard error 0.01, and 12.7062 is the 97.5 per cent point of Student's law with one degree of freedom.
    assert row["mean"] == pytest.approx(0.41)
    assert row["high"] - row["mean"] == pytest.approx(0.01 * 12.706205, rel=1e-6)
    assert len(found.tables["acceptance"]) == 5 * len(acceptance.DRAFT_COUNTS)


def test_intervals_of_probabilities_end_at_0_and_1() -> None:
    found = concluded(*({**POSITION, "prompt": prompt, "single": value} for prompt, value in [(0, 0.3), (1, 0.9)]))
    row = found.tables["acceptance"][0]
    assert (row["low"], row["high"]) == (0.0, 1.0)


def test_one_prompt_has_a_mean_and_no_interval() -> None:
    row = concluded({**POSITION, "prompt": 0}).tables["acceptance"][0]
    assert row["mean"] == 0.5
    assert math.isnan(row["low"])


@pytest.mark.parametrize(
    ("change", "quantity"),
    [
        ({"kseq_4": 0.4}, "least of K-SEQ minus one draft, k = 4"),
        ({"kseq_4": 0.99}, "least of optimum minus K-SEQ, k = 4"),
        ({"kseq_4": 0.55}, "least share of the optimum that K-SEQ reaches, k = 4"),
        ({"kseq_error": 1e-6}, "worst error: output law of K-SEQ, in total variation"),
        ({"recursive_error": math.nan}, "worst error: output law of recursive rejection, in total variation"),
        ({"optimal_8": math.nan}, "least of optimum minus K-SEQ, k = 8"),
    ],
    ids=str,
)
def test_one_bad_position_among_good_ones_refutes(change: dict[str, float], quantity: str) -> None:
    good = {**POSITION, "prompt": 0}
    found = concluded(good, {**good, **change}, good)
    refuted = [
        row.quantity for row in found.rows if row.verdict == ClaimVerdict.REFUTED and row.method != Method.CONTROL
    ]
    assert quantity in refuted
    assert [row for row in concluded(good, good).rows if not row.is_expected] == []


def test_the_pair_name_reaches_the_evidence(found: dict[str, ClaimFindings], settings: Settings) -> None:
    for part in found.values():
        concluding = [row for row in part.rows if row.cell == "conclusion"]
        assert concluding
        assert all(settings.pair in json.loads(row.instance).values() for row in concluding)
