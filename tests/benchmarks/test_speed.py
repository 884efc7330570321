"""The speed table on tiny models: what is planned is decoded, and predictions follow the clock they are given."""

from __future__ import annotations

import io
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from rich.console import Console  # noqa: E402
from tiny_llama import VOCABULARY, tiny_llama  # noqa: E402

from benchmarks import speed  # noqa: E402
from specproof.simulations.language_models.clock import Clock  # noqa: E402
from specproof.simulations.language_models.model import LanguageModel  # noqa: E402
from specproof.simulations.language_models.model_pair import ModelPair  # noqa: E402
from specproof.simulations.language_models.prompts import Prompt, encode  # noqa: E402
from specproof.simulations.traces.capture_pair import capture_of  # noqa: E402
from specproof.simulations.traces.measuring import make_measurement  # noqa: E402
from specproof.simulations.traces.trace import Trace  # noqa: E402
from specproof.theory.sampling_settings import SamplingSettings  # noqa: E402

PROMPTS = [Prompt(text, str(number)) for number, text in enumerate(["0120120", "1212", "33"])]
FREE_DRAFTS = Clock({(1, 1): 1.0, (1, 7): 1.0, (2, 1): 1.0, (2, 7): 1.0}, {1: 0.0}, {("single", 1): 0.0}, {1: 0.0})
DEAR_DRAFTS = Clock({(1, 1): 1.0, (1, 7): 1.0, (2, 1): 1.0, (2, 7): 1.0}, {1: 50.0}, {("single", 1): 0.0}, {1: 0.0})


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def pair() -> ModelPair:
    """A draft that agrees with its target often: it is the target at another temperature."""
    model = LanguageModel(tiny_llama(12, context=256), VOCABULARY, "cpu")

    def tokenizer(text: str) -> dict[str, list[int]]:
        return {"input_ids": [int(letter) for letter in text]}

    return ModelPair("tiny", model, model, tokenizer, own_temperature=1.2).with_settings(SamplingSettings())


@pytest.fixture(scope="module")
def trace(pair: ModelPair) -> Trace:
    return capture_of(pair, PROMPTS, 24, len(PROMPTS), make_measurement(None, None, 2, 0)).run()


@pytest.mark.slow
def test_free_drafts_are_planned_long_and_dear_ones_short(pair: ModelPair, trace: Trace) -> None:
    free, dear = (
        speed.planned_ways(pair, speed.AS_LOADED, speed.plan_of(trace, clock)) for clock in (FREE_DRAFTS, DEAR_DRAFTS)
    )
    assert len(free) == len(dear) == 4
    assert {way.length for way in free} == {max(speed.LENGTHS)}
    assert {way.length for way in dear} == {min(speed.LENGTHS)}
    alone = speed.target_alone(pair, speed.AS_LOADED).expected(FREE_DRAFTS)
    seconds = [way.expected(FREE_DRAFTS) for way in free]
    assert seconds[0] == min(seconds) < alone < 0.1 * dear[0].expected(DEAR_DRAFTS)


def test_a_free_lookup_is_predicted_at_its_tokens_per_call(pair: ModelPair, trace: Trace) -> None:
    encoded = encode(PROMPTS, pair.tokenizer)
    predicted = [speed.lookup_speed(trace, encoded, length, FREE_DRAFTS) for length in speed.LENGTHS]
    assert all(1.0 < found <= length + 1 for length, found in zip(speed.LENGTHS, predicted, strict=True))
    assert speed.lookup_speed(trace, encoded, 1, DEAR_DRAFTS) < 0.1


@pytest.mark.slow
def test_all_ways_are_decoded_and_shown(pair: ModelPair) -> None:
    timed, plan = speed.compare(pair, PROMPTS, 12)
    names = [each.way.name for each in timed]
    targets = [each.way.target for each in timed]
    assert (names[0], names[5], names[6]) == ("target alone", "ngram:3", "target alone")
    assert targets == [speed.AS_LOADED] * 6 + [speed.FASTEST] * 2
    assert len(set(names[:6])) == 6
    assert timed[0].ratio == timed[6].ratio == 1.0
    assert timed[7].ratio == timed[7].speed / timed[6].speed
    assert all(each.speed > 0 and each.predicted > 0 for each in timed)
    assert timed[0].predicted == timed[6].predicted == 1.0
    assert timed[1].way.length == plan.rows[0].configuration.length
    shown: Any = io.StringIO()
    speed.show(timed, plan, Console(file=shown, width=200))
    said = " ".join(shown.getvalue().split())
    assert all(name in said for name in names)
    assert f"{timed[1].ratio:.2f} times as fast as the target alone (asked: 1.3)" in said
    assert f"{timed[7].ratio:.2f} times as fast as that target alone" in said


def test_the_error_is_a_share_of_the_prediction(pair: ModelPair) -> None:
    way = speed.target_alone(pair, speed.AS_LOADED)
    assert speed.Timed(way, speed=10.0, ratio=1.2, predicted=1.6).error == pytest.approx(-0.25)


def test_predictions_are_of_the_clock_that_is_taken_between_the_prompts(
    pair: ModelPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lengths are planned by a clock on which drafts are free, and speeds predicted by one on which they are dear."""
    kept: list[bool] = []

    class BusyMachine:
        def __init__(self, _: ModelPair, rows: list[int], tokens: list[int], verifiers: list[str]) -> None:
            assert (rows[0], tokens[0]) == (1, 1)
            assert set(verifiers) == (set(speed.SEVERAL) if len(rows) > 1 else set())

        def take(self, *, keep: bool = True) -> None:
            kept.append(keep)

        def clock(self, _: Any) -> Clock:
            return DEAR_DRAFTS

    monkeypatch.setattr(speed, "measure_clock", lambda *_, **__: FREE_DRAFTS)
    monkeypatch.setattr(speed, "ClockSamples", BusyMachine)
    timed, plan = speed.compare(pair, PROMPTS[:2], 12)
    assert plan.pays
    assert timed[1].way.length == max(speed.LENGTHS)
    assert timed[1].predicted < 0.1
    pairs = 3  # as loaded, with prompt lookup, and with the fastest products
    assert [kept.count(each) for each in (False, True)] == [pairs, pairs * speed.SAMPLES * 2]
