"""Traces from saved logits: what is measured is what the logits' distributions have, whatever the files are like."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from specproof.simulations.traces.capture_arrays import ROWS, TOGETHER, capture_arrays
from specproof.simulations.traces.position_columns import columns
from specproof.simulations.traces.trace import Trace
from specproof.theory.distribution import softmax
from specproof.theory.errors import InvalidInput
from specproof.theory.sampling_settings import SamplingSettings

V, T, N = 7, 5, 3
K = 2


def saved_texts(seed: int = 0, *, texts: int = N, length: int = T, vocabulary: int = V) -> dict[str, Any]:
    """Logits of both models, and tokens of which the second text ends early."""
    rng = np.random.default_rng(seed)
    draft, target = (2 * rng.standard_normal((texts, length, vocabulary)) for _ in range(2))
    tokens = rng.integers(vocabulary, size=(texts, length))
    if texts > 1:
        tokens[1, 3:] = -1
        draft[1, 3:], target[1, 3:] = np.nan, np.inf  # whatever stands there is not read
    return {"draft_logits": draft, "target_logits": target, "tokens": tokens}


def numbers(trace: Trace, column: str) -> np.ndarray:
    return np.stack(trace.table[column].to_list())


def measured(trace: Trace) -> list[str]:
    """The columns of numbers, but for those that are estimated."""
    names = [name for name in trace.table if name != "accepted_distinct"]
    assert any(name.startswith("agreement_") for name in names)
    return names


def same(one: Trace, other: Trace, tolerance: float = 0.0) -> None:
    for name in measured(one):
        np.testing.assert_allclose(
            numbers(one, name), numbers(other, name), rtol=tolerance, atol=tolerance, err_msg=name
        )


def test_a_trace_has_what_the_distributions_have() -> None:
    arrays = saved_texts()
    trace = capture_arrays(**arrays, num_drafts=K)
    assert [(text.name, text.tokens, text.ended) for text in trace.header.texts] == [
        ("0", 5, False),
        ("1", 3, True),
        ("2", 5, False),
    ]
    assert trace.table["text"].tolist() == [0] * 5 + [1] * 3 + [2] * 5
    assert trace.table["position"].tolist() == [*range(5), *range(3), *range(5)]
    assert (trace.header.source, trace.header.vocabulary, trace.header.num_drafts) == ("arrays", V, K)
    present = arrays["tokens"] >= 0
    draft, target = (softmax(arrays[name][present]) for name in ("draft_logits", "target_logits"))
    tokens = arrays["tokens"][present]
    for name, values in columns(draft, target, tokens, K, np.random.default_rng(0)).items():
        if name != "accepted_distinct":
            np.testing.assert_allclose(numbers(trace, name), values, rtol=1e-12, atol=1e-12, err_msg=name)
    np.testing.assert_array_equal(trace.table["token"], tokens)


def test_files_and_arrays_one_text_and_many_give_the_same(tmp_path: Path) -> None:
    arrays = saved_texts()
    files: dict[str, Any] = {name: tmp_path / f"{name}.npy" for name in arrays}
    for name, path in files.items():
        np.save(path, arrays[name])
    whole = capture_arrays(**arrays, num_drafts=K)
    same(capture_arrays(**files, num_drafts=K), whole)
    one = capture_arrays(**{name: values[2] for name, values in arrays.items()}, num_drafts=K)
    same(one, Trace(one.header, whole.table[whole.table["text"] == 2].assign(text=0)))


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.int16])
def test_logits_of_any_real_type_are_measured_in_float64(kind: type) -> None:
    arrays = saved_texts()
    with np.errstate(invalid="ignore"):
        narrow = {name: (values if name == "tokens" else values.astype(kind)) for name, values in arrays.items()}
    wide = {name: (values if name == "tokens" else values.astype(np.float64)) for name, values in narrow.items()}
    same(capture_arrays(**narrow, num_drafts=K), capture_arrays(**wide, num_drafts=K))


def test_a_shorter_vocabulary_is_padded_by_minus_infinity() -> None:
    """Padded by zeros, as one might, an acceptance of 0.729 becomes 0.033."""
    rng = np.random.default_rng(1)
    target = rng.standard_normal((1, 1000)) - 6.2734
    target[:, 900:] = -26.2734
    draft = target[:, :900] + 0.6556 * rng.standard_normal((1, 900))
    whole, by_zeros = (
        capture_arrays(given, target, [5], num_drafts=0).table["overlap"][0]
        for given in (draft, np.pad(draft, ((0, 0), (0, 100))))
    )
    assert whole == pytest.approx(0.729, abs=0.001)
    assert by_zeros == pytest.approx(0.033, abs=0.001)
    by_infinity = np.pad(draft, ((0, 0), (0, 100)), constant_values=-np.inf)
    same(capture_arrays(draft, target, [5], num_drafts=K), capture_arrays(by_infinity, target, [5], num_drafts=K))
    same(capture_arrays(target, draft, [5], num_drafts=K), capture_arrays(target, by_infinity, [5], num_drafts=K))
    whole_numbers = draft.astype(np.int64)
    as_floats = np.pad(whole_numbers.astype(float), ((0, 0), (0, 100)), constant_values=-np.inf)
    same(capture_arrays(whole_numbers, target, [5], num_drafts=K), capture_arrays(as_floats, target, [5], num_drafts=K))


def test_settings_are_applied_to_both_models_and_the_draft_has_temperatures_of_its_own() -> None:
    arrays = saved_texts(texts=1)
    settings = SamplingSettings(0.7, top_k=6, top_p=0.99, min_p=0.001)
    arrays["tokens"][:] = arrays["target_logits"].argmax(axis=-1)
    trace = capture_arrays(**arrays, settings=settings, draft_temperatures=(2.0, 0.5), num_drafts=K)
    assert trace.header.settings == settings
    for temperature in (2.0, 0.5):
        draft = SamplingSettings(temperature, 6, 0.99, 0.001).distribution(arrays["draft_logits"][0])
        target = settings.distribution(arrays["target_logits"][0])
        ((_, rows),) = trace.texts(temperature)
        np.testing.assert_allclose(rows["overlap"], np.minimum(draft, target).sum(axis=-1), rtol=1e-12)
        alone = capture_arrays(**arrays, settings=settings, draft_temperatures=(temperature,), num_drafts=K)
        same(alone, Trace(alone.header, rows))


def test_long_texts_are_measured_in_groups_and_go_on_where_they_were(tmp_path: Path) -> None:
    arrays = saved_texts(texts=1, length=2 * ROWS + TOGETHER + 1)
    files: dict[str, Any] = {name: tmp_path / f"{name}.npy" for name in arrays}
    for name, path in files.items():
        np.save(path, arrays[name])

    class Impatient:
        def __init__(self, total: int) -> None:
            assert total == 3
            self.finished: list[str] = []

        def __enter__(self) -> Impatient:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def advance(self, share: float) -> None:
            assert 0 < share <= 1

        def finish(self, name: str) -> None:
            self.finished.append(name)
            if len(self.finished) == 2:
                raise KeyboardInterrupt

    out = tmp_path / "trace.parquet"
    with pytest.raises(KeyboardInterrupt):
        capture_arrays(**files, out=out, num_drafts=K, progress=Impatient)
    with pytest.raises(InvalidInput, match="whose num_drafts is 2, but now it is 3"):
        capture_arrays(**files, out=out, num_drafts=3)
    assert len(list((tmp_path / "trace.parquet.parts").iterdir())) == 3
    capture_arrays(**files, out=out, num_drafts=K)
    capture_arrays(**files, out=tmp_path / "whole.parquet", num_drafts=K)
    assert out.read_bytes() == (tmp_path / "whole.parquet").read_bytes()
    same(Trace.read(out), capture_arrays(**arrays, num_drafts=K))


def broken(change: Any) -> dict[str, Any]:
    arrays = saved_texts()
    change(arrays)
    return arrays


def put(name: str, index: Any, value: float) -> Any:
    def change(arrays: dict[str, Any]) -> None:
        arrays[name][index] = value

    return change


def replaced(name: str, make: Any) -> Any:
    def change(arrays: dict[str, Any]) -> None:
        arrays[name] = make(arrays[name])

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (put("draft_logits", (2, 1, 4), np.nan), r"draft_logits\[2, 1, 4\] = nan is not a logit: logits are finite"),
        (put("target_logits", (0, 4, 0), np.inf), r"target_logits\[0, 4, 0\] = inf is not a logit: logits are finite"),
        (put("draft_logits", (2, 1), -np.inf), r"draft_logits\[2, 1\] is -inf at every token: leave it some token"),
        (put("tokens", (2, 3), V), rf"tokens\[2, 3\] = {V} is not one of {V} tokens: ids lie in 0\.\.{V - 1}"),
        (put("tokens", (2, 3), -2), rf"tokens\[2, 3\] = -2 is not one of {V} tokens"),
        (put("tokens", (2, 3), -1), r"tokens\[2, 4\] = \d stands after -1, the end of its text"),
        (put("tokens", (1, slice(None)), -1), r"tokens\[1, 0\] = -1: the text has no tokens, so leave it out"),
        (
            lambda arrays: arrays["target_logits"].__setitem__((2, 3, arrays["tokens"][2, 3]), -np.inf),
            r"tokens\[2, 3\] = \d has target probability 0: the text was not sampled from this target at",
        ),
        (
            replaced("draft_logits", lambda values: values[:, 1:]),
            r"draft_logits has shape \(3, 4, 7\), but tokens has \(3, 5\): give a row of logits for each token",
        ),
        (replaced("target_logits", lambda values: values[0]), r"target_logits has shape \(5, 7\), but tokens has"),
        (replaced("target_logits", lambda values: values[..., :0]), r"target_logits has shape \(3, 5, 0\)"),
        (
            replaced("tokens", lambda values: values.astype(float)),
            r"tokens has dtype float64 and shape \(3, 5\): it must",
        ),
        (replaced("tokens", lambda values: values[np.newaxis]), r"tokens has dtype int64 and shape \(1, 3, 5\)"),
        (replaced("tokens", lambda values: values[:0]), r"tokens has dtype int64 and shape \(0, 5\)"),
        (
            replaced("draft_logits", lambda values: values.astype(complex)),
            r"draft_logits is not an array of real numbers",
        ),
    ],
)
def test_arrays_that_do_not_fit_are_refused_in_one_line(change: Any, said: str) -> None:
    with pytest.raises(InvalidInput, match=f"^{said}") as refused:
        capture_arrays(**broken(change), num_drafts=K)
    assert "\n" not in str(refused.value)
    assert ": " in str(refused.value)


def test_entries_of_one_text_are_named_as_the_caller_knows_them() -> None:
    arrays = {name: values[0] for name, values in saved_texts().items()}
    arrays["draft_logits"][3, 2] = np.nan
    with pytest.raises(InvalidInput, match=r"^draft_logits\[3, 2\] = nan"):
        capture_arrays(**arrays)


def test_a_token_that_a_filter_takes_away_was_not_sampled_at_these_settings() -> None:
    arrays = saved_texts()
    arrays["tokens"][0, 2] = arrays["target_logits"][0, 2].argmin()
    capture_arrays(**arrays, num_drafts=0)
    with pytest.raises(InvalidInput, match=r"has target probability 0: .* give the settings that it was sampled with"):
        capture_arrays(**arrays, num_drafts=0, settings=SamplingSettings(top_k=2))


def test_padding_does_not_make_tokens_that_the_target_does_not_know_possible() -> None:
    arrays = saved_texts()
    arrays["tokens"][0, 1] = V - 1
    with pytest.raises(InvalidInput, match=rf"^tokens\[0, 1\] = {V - 1} has target probability 0"):
        capture_arrays(arrays["draft_logits"], arrays["target_logits"][..., : V - 2], arrays["tokens"], num_drafts=0)


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY\x01\x00", b"not numpy at all", None, "archive", "cut", "objects"])
def test_files_that_hold_no_array_are_refused_by_name(tmp_path: Path, content: Any) -> None:
    arrays = saved_texts()
    path = tmp_path / "draft.npy"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content == "archive":
        with path.open("wb") as file:
            np.savez(file, a=arrays["tokens"])
    elif content == "cut":
        np.save(path, arrays["draft_logits"])
        path.write_bytes(path.read_bytes()[:-8])
    elif content == "objects":
        np.save(path, np.array([{}, 1], dtype=object), allow_pickle=True)
    with pytest.raises(InvalidInput, match=r"^draft_logits .*draft\.npy .*: (give|write)") as refused:
        capture_arrays(path, arrays["target_logits"], arrays["tokens"])
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "asked",
    [{"num_drafts": -1}, {"seed": -1}, {"seed": 0.5}, {"draft_temperatures": (1.0, 0.0)}, {"num_drafts": True}],
)
def test_measurements_that_make_no_sense_are_refused(asked: Any) -> None:
    with pytest.raises(InvalidInput, match=r"^(num_drafts|seed|draft_temperature) is"):
        capture_arrays(**saved_texts(), **asked)
