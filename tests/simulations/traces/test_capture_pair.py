"""Traces of tiny models: what is measured is what a pass over the whole text says, however it was interrupted."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from tiny_llama import VOCABULARY, save_model, tiny_llama  # noqa: E402

from specproof.simulations.language_models import clock as clocks  # noqa: E402
from specproof.simulations.language_models import few_rows, pairs  # noqa: E402
from specproof.simulations.language_models.clock import Clock  # noqa: E402
from specproof.simulations.language_models.int8 import to_int8  # noqa: E402
from specproof.simulations.language_models.model import LanguageModel  # noqa: E402
from specproof.simulations.language_models.model_pair import ModelPair  # noqa: E402
from specproof.simulations.language_models.ngram import NGramModel  # noqa: E402
from specproof.simulations.language_models.pairs import load_pair  # noqa: E402
from specproof.simulations.language_models.prompts import Prompt  # noqa: E402
from specproof.simulations.traces.ask import asked_configurations, available_rules  # noqa: E402
from specproof.simulations.traces.capture_arrays import capture_arrays  # noqa: E402
from specproof.simulations.traces.capture_pair import capture_of, capture_pair  # noqa: E402
from specproof.simulations.traces.configuration import Configuration  # noqa: E402
from specproof.simulations.traces.lookup import lookup_reach, lookup_sums  # noqa: E402
from specproof.simulations.traces.measured import measured_costs  # noqa: E402
from specproof.simulations.traces.measuring import make_measurement  # noqa: E402
from specproof.simulations.traces.parts import Silence, parts_folder  # noqa: E402
from specproof.simulations.traces.planning import CostRatio, make_plan  # noqa: E402
from specproof.simulations.traces.pricing import price  # noqa: E402
from specproof.simulations.traces.trace import Trace  # noqa: E402
from specproof.theory.errors import InvalidInput  # noqa: E402
from specproof.theory.sampling_settings import SamplingSettings  # noqa: E402

PROMPTS = ["w1 w2 w3", "w5", "w4 w4", "w7 w1", "w2"]
K = 2
SHARED: dict[str, Any] = {"tokens": 6, "num_drafts": K, "batch": 2, "device": "cpu"}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The names of a pair of tiny models and of a file of prompts, and sizes that suit them."""
    folder = tmp_path_factory.mktemp("tiny")
    for name, seed in (("draft", 11), ("target", 12)):
        save_model(folder / name, seed, eos=2)
    lines = [json.dumps({"text": text, "id": f"prompt {number}"}) for number, text in enumerate(PROMPTS)]
    (folder / "prompts.jsonl").write_text("\n".join(lines))
    torch.set_num_threads(1)
    return {"pair": f"hf:{folder / 'draft'},{folder / 'target'}", "prompts": folder / "prompts.jsonl", **SHARED}


class Interrupting(Silence):
    """Interrupts the capture when so many groups are finished."""

    def __init__(self, after: int) -> None:
        self.left = after

    def __call__(self, total: int) -> Interrupting:
        assert total == 3
        return self

    def __enter__(self) -> Interrupting:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing was opened."""

    def finish(self, name: str) -> None:
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


def whole_logits(tiny: dict[str, Any], trace: Trace) -> dict[str, np.ndarray]:
    """The logits of a pass over each prompt with its text, without a cache, in the arrays of ``capture_arrays``."""
    models = load_pair(tiny["pair"], "cpu")
    horizon = tiny["tokens"]
    logits = {name: np.full((len(PROMPTS), horizon, VOCABULARY), np.nan, np.float32) for name in ("draft", "target")}
    tokens = np.full((len(PROMPTS), horizon), -1)
    for number, (record, rows) in enumerate(trace.texts()):
        text = rows["token"].tolist()
        tokens[number, : record.tokens] = text
        prompt = models.tokenizer(PROMPTS[number])["input_ids"]
        for name in logits:
            with torch.no_grad():
                passed = getattr(models, name).module(torch.tensor([prompt + text])).logits[0]
            logits[name][number, : record.tokens] = passed[len(prompt) - 1 : -1].numpy()
    return {"draft_logits": logits["draft"], "target_logits": logits["target"], "tokens": tokens}


@pytest.mark.parametrize("settings", [SamplingSettings(), SamplingSettings(0.8, top_k=6, top_p=0.95, min_p=0.01)])
def test_a_pair_and_the_arrays_of_its_logits_give_the_same(tiny: dict[str, Any], settings: SamplingSettings) -> None:
    temperatures = (1.3, 0.8)
    trace = capture_pair(**tiny, settings=settings, draft_temperatures=temperatures)
    arrays = whole_logits(tiny, trace)
    other = capture_arrays(**arrays, settings=settings, draft_temperatures=temperatures, num_drafts=K)
    assert [text.tokens for text in trace.header.texts] == [text.tokens for text in other.header.texts]
    assert list(trace.table) == list(other.table)
    compared = [name for name in trace.table if name != "accepted_distinct"]
    for name in compared:
        one, two = (np.stack(each.table[name].to_list()) for each in (trace, other))
        np.testing.assert_allclose(one, two, rtol=1e-4, atol=1e-5, err_msg=name)
    assert trace.header.verifiers
    assert (trace.header.settings, trace.header.draft_temperatures) == (settings, temperatures)
    assert [text.name for text in trace.header.texts] == [f"prompt {number}" for number in range(len(PROMPTS))]


@pytest.mark.parametrize("after", [1, 2, 3])
def test_an_interrupted_capture_goes_on_to_the_same_trace(tiny: dict[str, Any], tmp_path: Path, after: int) -> None:
    out, whole = tmp_path / "trace.parquet", tmp_path / "whole.parquet"
    with pytest.raises(KeyboardInterrupt):
        capture_pair(**tiny, out=out, progress=Interrupting(after))
    assert not out.exists()
    assert len(list(parts_folder(out).glob("*.npz"))) == after
    capture_pair(**tiny, out=out, progress=Interrupting(99))
    capture_pair(**tiny, out=whole)
    assert out.read_bytes() == whole.read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {"trace.parquet", "whole.parquet"}


def test_what_is_kept_of_other_settings_is_refused(tiny: dict[str, Any], tmp_path: Path) -> None:
    out = tmp_path / "trace.parquet"
    with pytest.raises(KeyboardInterrupt):
        capture_pair(**tiny, out=out, progress=Interrupting(1))
    changes: list[dict[str, Any]] = [
        {"tokens": 5},
        {"seed": 1},
        {"batch": 3},
        {"num_drafts": 3},
        {"settings": SamplingSettings(0.5)},
        {"draft_temperatures": (1.0, 2.0)},
    ]
    for change in changes:
        name = next(iter(change))
        with pytest.raises(
            InvalidInput, match=f"whose {name} is .*: ask for the same again, or begin anew with --fresh"
        ):
            capture_pair(**tiny | change, out=out)
    other = tmp_path / "other.jsonl"
    other.write_text(Path(tiny["prompts"]).read_text().replace("w7", "w6"))
    with pytest.raises(InvalidInput, match="whose prompts is"):
        capture_pair(**tiny | {"prompts": other}, out=out)
    capture_pair(**tiny | {"seed": 1}, out=out, fresh=True)
    assert Trace.read(out).header.seed == 1


def test_the_text_depends_on_its_seed_alone_and_not_on_what_is_measured(tiny: dict[str, Any]) -> None:
    def text(**change: Any) -> list[int]:
        table = capture_pair(**tiny | change).table
        tokens: list[int] = table[table["draft_temperature"] == 1.0]["token"].tolist()
        return tokens

    assert text() == text(num_drafts=0) == text(draft_temperatures=(1.0, 0.5))
    assert text() != text(seed=1)


def test_filters_are_kept_and_texts_that_end_are_told(tiny: dict[str, Any]) -> None:
    trace = capture_pair(**tiny | {"tokens": 30, "num_drafts": 0}, settings=SamplingSettings(top_k=3))
    arrays = whole_logits(tiny | {"tokens": 30}, trace)
    for number, (record, rows) in enumerate(trace.texts()):
        logits = arrays["target_logits"][number, : record.tokens]
        ranks = (logits > np.take_along_axis(logits, rows["token"].to_numpy()[:, np.newaxis], axis=1)).sum(axis=1)
        assert ranks.max() < 3
        assert record.ended == (rows["token"].iloc[-1] == 2)
        assert record.ended == (record.tokens < 30)
        assert 2 not in rows["token"].iloc[:-1].tolist()
    assert {record.ended for record in trace.header.texts} == {True}


def test_no_more_than_one_position_of_a_group_is_measured_at_a_time(
    tiny: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from specproof.simulations.traces import measuring

    seen: list[int] = []
    original: Callable[..., Any] = measuring.columns

    def counted(draft: Any, *rest: Any) -> Any:
        seen.append(len(draft))
        return original(draft, *rest)

    monkeypatch.setattr(measuring, "columns", counted)
    trace = capture_pair(**tiny)
    assert max(seen) == SHARED["batch"]
    assert sum(seen) == len(trace.table)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"tokens": 0}, "tokens is 0: it must be an integer >= 1"),
        ({"tokens": 100}, "the decode needs 103 cache columns, but the model has a context of 64: shorten"),
        ({"batch": 0}, "batch is 0: it must be an integer >= 1"),
        ({"num_drafts": -1}, "num_drafts is -1: it must be an integer >= 0"),
        ({"draft_temperatures": (0.0,)}, "draft_temperature is 0"),
        ({"pair": "nothing"}, "there is no model pair 'nothing'"),
        ({"prompts": "missing.jsonl"}, "prompts file missing.jsonl cannot be read"),
        ({"device": "tpu"}, "device is 'tpu': choose auto, cpu or cuda"),
    ],
)
def test_what_cannot_be_captured_is_refused_before_anything_is_written(
    tiny: dict[str, Any], tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    with pytest.raises(InvalidInput, match=f"^{said}") as refused:
        capture_pair(**tiny | change, out=tmp_path / "trace.parquet")
    assert "\n" not in str(refused.value)
    assert list(tmp_path.iterdir()) == []


def as_numbers(text: str) -> dict[str, list[int]]:
    return {"input_ids": [int(letter) for letter in text]}


def captured(draft: Callable[[LanguageModel], Any], texts: list[str], tokens: int) -> tuple[Trace, list[list[int]]]:
    """A trace of a tiny target and a draft that is made of it, and its prompts as numbers."""
    target = LanguageModel(tiny_llama(12, context=256), VOCABULARY, "cpu")
    pair = ModelPair("tiny", draft(target), target, as_numbers)
    prompts = [Prompt(text, f"prompt {number}") for number, text in enumerate(texts)]
    trace = capture_of(pair, prompts, tokens, 2, make_measurement(None, (1.0, 0.5), K, 0)).run()
    return trace, [as_numbers(text)["input_ids"] for text in texts]


def test_a_draft_with_int8_weights_is_near_its_target() -> None:
    trace, _ = captured(
        lambda target: LanguageModel(to_int8(target.module, "cpu"), VOCABULARY, "cpu"), ["12", "3", "04"], 8
    )
    assert trace.header.num_drafts == K
    _, rows = next(trace.texts(1.0))
    assert 0.9 < rows["overlap"].mean() < 1.0


def test_a_draft_that_is_looked_up_is_priced_as_the_lookup_of_the_text(tmp_path: Path) -> None:
    trace, prompts = captured(lambda target: NGramModel(VOCABULARY, "cpu", 2), ["0120120", "7", "33"], 40)
    trace.write(tmp_path / "trace.parquet")
    trace = Trace.read(tmp_path / "trace.parquet")
    assert (trace.header.num_drafts, trace.header.verifiers, available_rules(trace)) == (0, (), ["single"])
    drafted = trace.table["drafted"]
    assert drafted.any()
    assert not drafted.all()
    lengths, seconds = (1, 3), {0: 1.0, 1: 1.5, 3: 1.7}
    asked = [Configuration("single", 1, length, draft_temperature=0.5) for length in lengths]
    prices = price(trace, asked)
    spent = prices.spent([seconds[length] for length in lengths])
    for place, (prompt, (text, rows)) in enumerate(zip(prompts, trace.texts(), strict=True)):
        starts = text.tokens - max(lengths) + 1
        for index, length in enumerate(lengths):
            expected = lookup_sums(
                *lookup_reach(prompt, rows["token"].tolist(), 2, length), starts, seconds.__getitem__
            )
            assert (prices.tokens[index, place], spent[index, place]) == pytest.approx(expected)
    plan = make_plan(prices, CostRatio(0.5))
    assert all(1.0 < row.cost < CostRatio(0.5).call(row.configuration) for row in plan.rows), "some calls draft nothing"
    assert plan.curves([0.0])["speed"].tolist() == [row.tokens_per_call.estimate for row in plan.rows]


def test_calls_of_one_sequence_are_measured_where_drafts_are_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, asked = Clock({(1, 1): 1.0, (1, 5): 2.0}, {1: 0.25}, {("single", 1): 0.0}, {1: 0.0}), []
    trace, _ = captured(lambda target: NGramModel(VOCABULARY, "cpu", 2), ["01"], 4)
    for module, name, stand_in in (
        (pairs, "load_pair", lambda name, device: (name, device)),
        (few_rows, "with_fast_products", lambda pair: pair),
        (clocks, "measure_clock", lambda pair, rows, tokens, verifiers: asked.append((pair, rows, verifiers)) or clock),
    ):
        monkeypatch.setattr(module, name, stand_in)
    costs = measured_costs(trace, "cpu")
    assert asked == [(("tiny", "cpu"), (1,), ())]
    assert costs.call(Configuration("single", 1, 4)) == pytest.approx(3.0)


def test_other_rules_than_that_of_one_draft_are_refused_where_drafts_are_looked_up() -> None:
    trace, _ = captured(lambda target: NGramModel(VOCABULARY, "cpu", 2), ["01"], 4)
    with pytest.raises(InvalidInput, match="rule is 'kseq': this trace prices single"):
        asked_configurations(trace, rules=["kseq"])
