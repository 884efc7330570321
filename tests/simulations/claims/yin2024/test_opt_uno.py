"""Decoding-OPT and Decoding-UNO, whole, on a pair of tiny random Llamas, and with a reward model that is broken."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from tiny_llama import save_model, save_reward_model

from specproof.reproduce import gather_evidence
from specproof.run_plan import plan_run
from specproof.simulations.claims.claim import Settings
from specproof.simulations.claims.conclusion import ClaimFindings
from specproof.simulations.claims.real.confidence import over_prompts
from specproof.simulations.claims.yin2024 import opt_uno
from specproof.simulations.evidence import ClaimVerdict, Method
from specproof.simulations.experiments.cell import Cell, CellContext, Findings, Records
from specproof.simulations.experiments.store import Store
from specproof.simulations.samplers.relaxed import opt_sampler
from specproof.theory.errors import InvalidInput
from specproof.wanted import Wanted

PROMPTS, COPIES, HORIZON = 12, 6, 4
RULES = 2


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def settings(folder: Path) -> Settings:
    for name, seed in (("draft", 11), ("target", 12)):
        save_model(folder / name, seed)
    prompts = tuple({"id": str(i), "text": f"w{i % 8} w{i % 3}", "kind": "", "chat": i % 2 == 1} for i in range(20))
    return Settings(pair=f"hf:{folder}/draft,{folder}/target", prompts=prompts)


def gathered(settings: Settings, folder: Path, announce: Callable[[Cell], None] = lambda cell: None) -> ClaimFindings:
    store = Store(folder, lambda cell: cell.key(settings.seed, 0.0, ""))
    claims = (opt_uno.CLAIM,)
    (found,) = gather_evidence(plan_run(Wanted(claims, (), claims), settings), store, jobs=1, announce=announce)
    return found


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cells")


@pytest.fixture(scope="module")
def found(settings: Settings, cells: Path) -> ClaimFindings:
    return gathered(settings, cells)


def table(found: ClaimFindings, name: str) -> pd.DataFrame:
    return pd.DataFrame(found.tables[name])


def test_the_claim_is_not_refuted_and_its_controls_are(found: ClaimFindings) -> None:
    """At epsilon 0.8 the control's rate is off by over 0.25, far beyond the interval of 576 positions at 1e-8."""
    assert found.surprises == []
    assert {row.verdict for row in found.rows if row.method == Method.CONTROL} == {ClaimVerdict.REFUTED}
    tests = [row for row in found.rows if row.method == Method.SIMULATION]
    assert [row.verdict for row in tests] == [ClaimVerdict.CONSISTENT] * len(opt_uno.EPSILONS)
    assert [json.loads(row.instance)["epsilon"] for row in tests] == list(opt_uno.EPSILONS)


def test_every_rule_continues_spread_prompts_several_times(found: ClaimFindings) -> None:
    positions, written = table(found, "positions"), table(found, "continuations")
    assert len(positions) == RULES * len(opt_uno.EPSILONS) * PROMPTS * COPIES * HORIZON
    assert set(written.groupby(["epsilon", "rule", "prompt"])["copy"].agg(tuple)) == {tuple(range(COPIES))}
    assert written["tokens"].map(len).eq(HORIZON).all()
    words = written["tokens"].map(lambda ids: " ".join(f"w{i}" for i in ids if i))  # w0 is the special token
    assert (written["text"] == words).all()
    first = written[written["epsilon"] == 0.1].iloc[:COPIES]
    assert len({tuple(ids) for ids in first["tokens"]}) == COPIES, "independent continuations"


def test_what_is_exact_is_that_of_the_context(found: ClaimFindings) -> None:
    positions = table(found, "positions")
    np.testing.assert_allclose(positions["rejection"] + positions["bias_opt"], positions["tv"], rtol=0, atol=1e-13)
    assert (positions["bias_uno"] - positions["bias_opt"]).max() > 0.01, "the rules would show no difference"
    assert 0.05 < positions.groupby("epsilon")["rejection"].mean()[0.1] < 0.9
    assert (positions[positions["epsilon"] == 0.8]["rejection"] <= 0.2).all()


def test_each_score_is_of_the_text_it_stands_by(found: ClaimFindings, settings: Settings) -> None:
    from specproof.simulations.language_models.pairs import load_pair
    from specproof.simulations.language_models.prompts import Prompt
    from specproof.simulations.language_models.scoring import Continuation, likelihood_scorer

    written = table(found, "continuations").sort_values(["epsilon", "rule", "prompt", "copy"])
    scores = table(found, "scores").sort_values(["epsilon", "rule", "prompt", "copy"])
    asked = [Prompt(**settings.prompts[number]) for number in written["prompt"]]  # type: ignore[arg-type]
    answers = [Continuation(*pair) for pair in zip(written["tokens"], written["text"], strict=True)]
    alone = likelihood_scorer(load_pair(settings.pair, "cpu"))(asked, answers)
    np.testing.assert_allclose(scores["score"], alone, rtol=0, atol=1e-5)


def test_another_scorer_costs_no_decoding(
    found: ClaimFindings, settings: Settings, cells: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_reward_model(folder / "reward", 3)
    monkeypatch.setattr("specproof.simulations.language_models.decoding.speculative_decode", None)
    judged = gathered(replace(settings, scorer=f"hf:{folder}/reward"), cells)
    assert judged.surprises == []
    assert judged.tables["positions"] == found.tables["positions"]
    assert table(judged, "win_rate")["scorer"].unique().tolist() == [f"hf:{folder}/reward"]
    assert judged.tables["scores"] != found.tables["scores"]


def test_a_scorer_that_gives_nan_is_named_and_nothing_generated_is_lost(
    found: ClaimFindings, settings: Settings, cells: Path, folder: Path
) -> None:
    save_reward_model(folder / "broken", 3, weight=math.nan)
    kept: list[str] = []
    with pytest.raises(InvalidInput, match=r"scorer hf:.*/broken gave continuation 0 .* the score nan"):
        gathered(replace(settings, scorer=f"hf:{folder}/broken"), cells, lambda cell: kept.append(cell.name))
    assert sorted(kept) == sorted(f"{rule}-{epsilon}-0" for rule in ("opt", "uno") for epsilon in opt_uno.EPSILONS)


def test_a_full_run_gives_each_prompt_its_own_cells(settings: Settings) -> None:
    quick, full = (opt_uno.CLAIM.cells(replace(settings, scale=scale)) for scale in ("quick", "full"))
    per_batch = (RULES + 1) * len(opt_uno.EPSILONS)
    assert (len(quick), len(full)) == (per_batch, 20 * per_batch)
    assert len({cell.id for cell in full}) == len(full)
    assert all(len(cell.needs) == RULES and cell.needs[0] in full for cell in full if "score" in cell.name)


def test_without_a_prompt_nothing_can_be_done() -> None:
    with pytest.raises(InvalidInput, match="prompts is empty"):
        opt_uno.CLAIM.cells(Settings(prompts=()))


CONTEXT = {"pair": "p", "prompt": 0, "copy": 0, "rule": "opt", "epsilon": 0.8, "position": 0}
GOOD = CONTEXT | {"tv": 0.5, "rejected": False, "rejection": 0.0, "rejection_error": 0.0, "halved": 0.75}
GOOD |= {"bias_opt": 0.5, "bias_uno": 0.5}


def scores(*given: tuple[int, str, float]) -> Records:
    return [
        {"pair": "p", "prompt": prompt, "copy": copy, "rule": rule, "epsilon": 0.8, "scorer": "s", "score": value}
        for copy, (prompt, rule, value) in enumerate(given)
    ]


def concluded(*positions: dict[str, Any], judged: Records | None = None) -> Findings:
    either = judged or scores((0, "opt", 1.0), (0, "uno", 0.0))
    return opt_uno.conclude(
        CellContext(np.random.default_rng(0), 1e-9, {"positions": list(positions), "scores": either})
    )


@pytest.mark.parametrize(
    ("change", "quantity"),
    [
        ({"bias_opt": 0.5 + 1e-9, "bias_uno": 0.6}, "worst error: R + bias of OPT - TV"),
        ({"bias_opt": math.nan}, "worst error: R + bias of OPT - TV"),
        ({"rejection_error": 1e-9}, "worst error: R of OPT and of UNO, against sum [p - q - epsilon]+"),
        ({"bias_uno": 0.5 - 1e-9}, "least of bias of UNO - bias of OPT"),
        ({"bias_uno": math.nan}, "least of bias of UNO - bias of OPT"),
        ({"rejected": True}, "rate of rejections, against the mean R of the contexts"),
    ],
    ids=str,
)
def test_one_bad_position_among_good_ones_refutes(change: dict[str, Any], quantity: str) -> None:
    many = [GOOD] * 200
    found = concluded(*many, GOOD | change, *many)
    refuted = [
        row.quantity for row in found.rows if row.verdict == ClaimVerdict.REFUTED and row.method != Method.CONTROL
    ]
    assert quantity in refuted
    assert [row for row in concluded(*many).rows if not row.is_expected] == []


@pytest.mark.parametrize("distance", [0.0, 0.01])
def test_models_that_agree_leave_the_broken_control_undecided(distance: float) -> None:
    alike = GOOD | {"tv": distance, "bias_opt": distance, "bias_uno": distance, "halved": 0.5}
    (broken_control,) = (row for row in concluded(*[alike] * 400).rows if "epsilon = 0" in row.quantity)
    assert (broken_control.verdict, broken_control.is_expected) == (ClaimVerdict.INCONCLUSIVE, True)


def test_every_continuation_meets_every_other_and_prompts_count_alike() -> None:
    """Prompt 0: 2 beats 1 and ties with 2, 3 beats both: 3.5 of 4. Prompt 1 loses its one comparison."""
    judged = scores(*((0, "opt", s) for s in (2, 3)), *((0, "uno", s) for s in (1, 2)), (1, "opt", 0), (1, "uno", 5))
    (row,) = concluded(GOOD, judged=judged).tables["win_rate"]
    assert (row["comparisons"], row["prompts"]) == (5, 2)
    assert row["mean"] == pytest.approx((3.5 / 4 + 0) / 2)
    assert (row["low"], row["high"]) == (0.0, 1.0), "a rate cannot be beyond, as Student's interval is"


def test_an_interval_over_prompts_is_students() -> None:
    """Standard error 3.5/8, and 12.7062 is the 97.5 per cent point of Student's law with one degree of freedom."""
    values, prompts = pd.Series([1.0, 0.75, 0.0]), pd.Series([0, 0, 1])
    found = over_prompts(values, prompts)
    assert found["high"] - found["mean"] == pytest.approx(3.5 / 8 * 12.706205, rel=1e-6)
    assert found["mean"] - found["low"] == pytest.approx(3.5 / 8 * 12.706205, rel=1e-6)
    assert math.isnan(over_prompts(values[:2], prompts[:2], 0.0, 1.0)["high"]), "of one prompt there is none"


def test_a_rule_that_ignores_epsilon_is_refuted(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(opt_uno.RULES, "opt", lambda epsilon: opt_sampler(0.0))
    broken = {cell.name: cell for cell in opt_uno.CLAIM.cells(settings) if cell.name.startswith("opt-0.8")}
    (cell,) = broken.values()
    found = cell.function(CellContext(np.random.default_rng(1), 0.0), **cell.parameters)
    judged = scores((0, "opt", 1.0), (0, "uno", 0.0))
    rows = opt_uno.conclude(CellContext(np.random.default_rng(0), 1e-9, {**found.tables, "scores": judged})).rows
    verdicts = {row.quantity: row.verdict for row in rows}
    assert verdicts["rate of rejections, against the mean R of the contexts"] == ClaimVerdict.REFUTED
    assert verdicts["rate of rejections, against the mean R of epsilon = 0"] != ClaimVerdict.REFUTED
