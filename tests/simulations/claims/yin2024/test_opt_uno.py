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
from specproof.simulations.claims.yin2024.coupled_texts import LOGS
from specproof.simulations.evidence import ClaimVerdict, Method
from specproof.simulations.experiments.cell import Cell, CellContext, Findings
from specproof.simulations.experiments.store import Store
from specproof.simulations.samplers.relaxed import opt_sampler, uno_sampler
from specproof.theory.errors import InvalidInput
from specproof.theory.relaxed import decoding_opt, decoding_uno
from specproof.wanted import Wanted

PROMPTS, COPIES, HORIZON = 20, 2, 4
LEADS = list(opt_uno.RULES)


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
    """At epsilon 0.8 the control's rate is off by over 0.25, far beyond the interval of 160 positions at 1e-8."""
    assert found.surprises == []
    assert {row.verdict for row in found.rows if row.method == Method.CONTROL} == {ClaimVerdict.REFUTED}
    tests = [row for row in found.rows if row.method == Method.SIMULATION]
    assert {row.verdict for row in tests} <= {ClaimVerdict.CONSISTENT, ClaimVerdict.INCONCLUSIVE}
    assert [json.loads(row.instance)["epsilon"] for row in tests] == list(opt_uno.EPSILONS)


def test_each_prompt_has_all_its_copies_by_both_rules(found: ClaimFindings) -> None:
    written = table(found, "continuations")
    for rule in opt_uno.RULES:
        own = written[written[rule]]
        assert set(own.groupby(["epsilon", "prompt"])["copy"].agg(sorted).map(tuple)) == {tuple(range(COPIES))}
        assert len(own) == len(opt_uno.EPSILONS) * PROMPTS * COPIES
    assert written["tokens"].map(len).eq(HORIZON).all()
    words = written["tokens"].map(lambda ids: " ".join(f"w{i}" for i in ids if i))  # w0 is the special token
    assert (written["text"] == words).all()


def test_the_rules_share_a_text_until_one_of_them_draws_another_token(found: ClaimFindings) -> None:
    written, tested = table(found, "continuations"), table(found, "positions")
    alone = written[written["opt"] != written["uno"]]
    assert alone["epsilon"].eq(0.1).mean() > 0.1, "some pairs part, or nothing is seen"
    assert written[written["epsilon"] == 0.8][["opt", "uno"]].all(axis=None), "one rule writes one text"
    keys = ["prompt", "epsilon", "copy"]
    for place, pair in alone.groupby(keys):
        first, second = pair["tokens"]
        parts = next(index for index, (one, other) in enumerate(zip(first, second, strict=True)) if one != other)
        lead = tested[(tested[keys] == list(place)).all(axis=1) & (tested["rule"] == LEADS[int(place[2]) % 2])]  # type: ignore[index]
        rejected = lead.set_index("position")["rejected"]
        assert rejected[parts], "where a draft is accepted, both rules accept it"
        follow = tested[(tested[keys] == list(place)).all(axis=1) & (tested["rule"] != LEADS[int(place[2]) % 2])]  # type: ignore[index]
        assert sorted(follow["position"]) == list(range(parts + 1, HORIZON)), "shared positions are counted once"


def test_what_is_exact_is_that_of_the_context(found: ClaimFindings) -> None:
    positions = table(found, "positions")
    np.testing.assert_allclose(positions["rejection"] + positions["bias_opt"], positions["tv"], rtol=0, atol=1e-13)
    assert (positions["bias_uno"] - positions["bias_opt"]).max() > 0.01, "the rules would show no difference"
    assert 0.05 < positions.groupby("epsilon")["rejection"].mean()[0.1] < 0.9
    assert (positions[positions["epsilon"] == 0.8]["rejection"] <= 0.2).all()


def test_each_score_and_each_laws_probability_is_of_the_text_it_stands_by(
    found: ClaimFindings, settings: Settings
) -> None:
    """Each text is read anew by both models, and each law's probability of it is a product of exact outputs."""
    import torch

    from specproof.simulations.language_models.pairs import load_pair
    from specproof.simulations.language_models.prompts import Prompt, encode

    pair = load_pair(settings.pair, "cpu")
    scores = table(found, "scores").set_index(["prompt", "epsilon", "copy", "opt", "uno", "judge"])["score"]
    for text in table(found, "continuations").iloc[::9].to_dict(orient="records"):
        prompt = encode([Prompt(**settings.prompts[text["prompt"]])], pair.tokenizer)[0]  # type: ignore[arg-type]
        ids = torch.tensor([[*prompt, *text["tokens"]]])
        with torch.no_grad():
            draft, target = (
                torch.softmax(model.module(ids).logits[0, len(prompt) - 1 : -1].double(), dim=-1).numpy()
                for model in (pair.draft, pair.target)
            )
        place = np.arange(HORIZON), text["tokens"]
        logs = {name: np.log(law[place]).sum() for name, law in (("draft", draft), ("target", target))}
        for rule, law in (("opt", decoding_opt), ("uno", decoding_uno)):
            for epsilon in opt_uno.EPSILONS:
                logs[f"{rule} {epsilon}"] = np.log(law(draft, target, epsilon).output[place]).sum()
        for name, value in logs.items():
            assert text[f"log {name}"] == pytest.approx(value, abs=1e-4), name
        own = tuple(text[name] for name in ("prompt", "epsilon", "copy", "opt", "uno"))
        assert scores[(*own, "likelihood")] == pytest.approx(logs["target"] / HORIZON, abs=1e-4)
        assert scores[(*own, "likelihood ratio")] == pytest.approx(logs["target"] - logs["draft"], abs=1e-4)


def test_both_exact_judges_say_what_is_resolved(found: ClaimFindings) -> None:
    rates = table(found, "win_rate").set_index(["judge", "compared", "epsilon"])
    assert set(rates.index.get_level_values("judge")) == {"likelihood", "likelihood ratio"}
    assert rates.loc[("likelihood ratio", "independent texts", 0.1), "resolved"]
    inside = (rates["low"] <= 0.5) & (rates["high"] >= 0.5)
    assert (rates["resolved"] != inside).all()
    assert ((rates["times_the_text"] < 1) == rates["resolved"]).all()
    exact = rates.xs("next token, exact", level="compared")
    assert (exact.loc["likelihood ratio"]["mean"] >= 0.5).all()
    assert (rates.xs(0.8, level="epsilon")["mean"] == 0.5).all(), "where nothing is rejected there is one rule"


@pytest.mark.slow
def test_another_scorer_costs_no_decoding(
    found: ClaimFindings, settings: Settings, cells: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_reward_model(folder / "reward", 3)
    monkeypatch.setattr("specproof.simulations.language_models.decoding.speculative_decode", None)
    judged = gathered(replace(settings, scorer=f"hf:{folder}/reward"), cells)
    assert judged.surprises == []
    assert judged.tables["positions"] == found.tables["positions"]
    rates = table(judged, "win_rate")
    assert rates["judge"].unique().tolist() == ["likelihood", "likelihood ratio", f"hf:{folder}/reward"]
    assert rates[rates["judge"] == f"hf:{folder}/reward"]["compared"].nunique() == 2, "of one token there is no reward"
    exact = [row for row in judged.tables["scores"] if not row["judge"].startswith("hf:")]
    assert exact == found.tables["scores"]
    assert len(judged.tables["scores"]) == 1.5 * len(exact)


def test_a_scorer_that_gives_nan_is_named_and_nothing_generated_is_lost(
    found: ClaimFindings, settings: Settings, cells: Path, folder: Path
) -> None:
    save_reward_model(folder / "broken", 3, weight=math.nan)
    kept: list[str] = []
    with pytest.raises(InvalidInput, match=r"scorer hf:.*/broken gave continuation 0 .* the score nan"):
        gathered(replace(settings, scorer=f"hf:{folder}/broken"), cells, lambda cell: kept.append(cell.name))
    assert kept == ["write-0", "write-1"]


def test_a_full_run_gives_each_prompt_its_own_cells(settings: Settings) -> None:
    judged = replace(settings, scorer="hf:a")
    quick, full = (opt_uno.CLAIM.cells(replace(judged, scale=scale)) for scale in ("quick", "full"))
    assert (len(quick), len(full)) == (2 * 2, 2 * 20)
    assert len({cell.id for cell in full}) == len(full)
    assert all(cell.needs[0] in full for cell in full if "score" in cell.name)


def test_without_a_prompt_nothing_can_be_done() -> None:
    with pytest.raises(InvalidInput, match="prompts is empty"):
        opt_uno.CLAIM.cells(Settings(prompts=()))


CONTEXT = {"pair": "p", "prompt": 0, "copy": 0, "rule": "opt", "epsilon": 0.8, "position": 0}
GOOD = CONTEXT | {"tv": 0.5, "rejected": False, "rejection": 0.0, "rejection_error": 0.0, "halved": 0.75}
GOOD |= {"bias_opt": 0.5, "bias_uno": 0.5} | dict.fromkeys(("win_likelihood", "win_ratio"), 0.5)
GOOD |= dict.fromkeys(("gain_likelihood", "gain_ratio"), 0.0)
TEXT = {"pair": "p", "prompt": 0, "epsilon": 0.8, "copy": 0, "opt": True, "uno": True} | dict.fromkeys(LOGS, -1.0)
SCORES = [TEXT | {"judge": judge, "score": 0.0} for judge in ("likelihood", "likelihood ratio")]


def concluded(*positions: dict[str, Any]) -> Findings:
    tables = {"positions": list(positions), "continuations": [TEXT], "scores": SCORES}
    return opt_uno.conclude(CellContext(np.random.default_rng(0), 1e-9, tables))


@pytest.mark.parametrize(
    ("change", "quantity"),
    [
        ({"bias_opt": 0.5 + 1e-9, "bias_uno": 0.6}, "worst error: R + bias of OPT - TV"),
        ({"bias_opt": math.nan}, "worst error: R + bias of OPT - TV"),
        ({"rejection_error": 1e-9}, "worst error: R of OPT and of UNO, against sum [p - q - epsilon]+"),
        ({"bias_uno": 0.5 - 1e-9}, "least of bias of UNO - bias of OPT"),
        ({"bias_uno": math.nan}, "least of bias of UNO - bias of OPT"),
        ({"win_ratio": 0.5 - 1e-9}, "least of OPT's win rate by the likelihood ratio of the next token - 1/2"),
        ({"win_ratio": math.nan}, "least of OPT's win rate by the likelihood ratio of the next token - 1/2"),
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


def test_an_interval_over_prompts_is_students() -> None:
    """Standard error 3.5/8, and 12.7062 is the 97.5 per cent point of Student's law with one degree of freedom."""
    values, prompts = pd.Series([1.0, 0.75, 0.0]), pd.Series([0, 0, 1])
    found = over_prompts(values, prompts)
    assert found["high"] - found["mean"] == pytest.approx(3.5 / 8 * 12.706205, rel=1e-6)
    assert found["mean"] - found["low"] == pytest.approx(3.5 / 8 * 12.706205, rel=1e-6)
    assert math.isnan(over_prompts(values[:2], prompts[:2], 0.0, 1.0)["high"]), "of one prompt there is none"


@pytest.mark.parametrize("rule", [pytest.param("opt", marks=pytest.mark.slow), "uno"])
def test_a_rule_that_ignores_epsilon_is_refuted(rule: str, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """It leads half of the texts, and rejects as often as with epsilon = 0."""
    broken = {"opt": opt_sampler, "uno": uno_sampler}[rule](0.0)
    monkeypatch.setitem(opt_uno.RULES, rule, lambda epsilon: broken)
    cell, _ = opt_uno.CLAIM.cells(settings)
    found = cell.function(CellContext(np.random.default_rng(1), 0.0), **cell.parameters)
    rows = opt_uno.conclude(CellContext(np.random.default_rng(0), 1e-9, found.tables)).rows
    verdicts = {row.quantity: row.verdict for row in rows if json.loads(row.instance)["epsilon"] == 0.8}
    assert verdicts["rate of rejections, against the mean R of the contexts"] == ClaimVerdict.REFUTED
