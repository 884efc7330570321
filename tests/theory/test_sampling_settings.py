"""Temperature, top-k, top-p and min-p: by definition, in NumPy and in torch, and as transformers apply them."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from transformers.generation import (
    LogitsProcessorList,
    MinPLogitsWarper,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

import specproof.theory.sampling_settings as sampling_settings
from specproof.theory.distribution import Array, softmax
from specproof.theory.errors import InvalidInput
from specproof.theory.sampling_settings import SamplingSettings

INF, NAN = float("inf"), float("nan")

ALL = [
    SamplingSettings(),
    SamplingSettings(0.3),
    SamplingSettings(top_k=1),
    SamplingSettings(top_k=7),
    SamplingSettings(top_k=1000),
    SamplingSettings(top_p=0.9),
    SamplingSettings(top_p=0.013),
    SamplingSettings(top_p=1e-300),
    SamplingSettings(min_p=0.05),
    SamplingSettings(min_p=0.999),
    SamplingSettings(0.7, 20, 0.8, 0.02),
    SamplingSettings(2.5, 9, 0.95, 0.3),
]


def tied_logits(seed: int, rows: int = 200, vocabulary: int = 53) -> Array:
    """Rows of few different values, so that most cuts go through ties, some of them -inf."""
    rng = np.random.default_rng(seed)
    logits = rng.integers(-12, 5, (rows, vocabulary)) * rng.choice([0.25, 0.37, 1.0], (rows, 1))
    return np.where(rng.random(logits.shape) < 0.1, -INF, logits)


def by_transformers(settings: SamplingSettings, logits: Array) -> Array:
    warpers = LogitsProcessorList([TemperatureLogitsWarper(settings.temperature)])
    if settings.top_k:
        warpers.append(TopKLogitsWarper(settings.top_k))
    if settings.top_p < 1:
        warpers.append(TopPLogitsWarper(settings.top_p))
    if settings.min_p:
        warpers.append(MinPLogitsWarper(settings.min_p))
    probabilities: Array = torch.softmax(warpers(None, torch.from_numpy(logits)), dim=-1).numpy()
    return probabilities


@pytest.mark.parametrize("settings", ALL, ids=str)
def test_numpy_torch_and_transformers_agree(settings: SamplingSettings) -> None:
    logits = np.random.default_rng(2).normal(size=(200, 53)) * 3
    ours, theirs = settings.distribution(logits), by_transformers(settings, logits)
    torchs = settings.distribution(torch.from_numpy(logits))
    assert (ours.dtype, torchs.dtype) == (np.float64, torch.float64)
    assert np.abs(ours - torchs.numpy()).max() <= 1e-15
    assert np.abs(ours - theirs).max() <= 1e-15
    assert np.array_equal(ours > 0, theirs > 0)


@pytest.mark.parametrize("settings", ALL, ids=str)
def test_they_agree_where_there_are_ties(settings: SamplingSettings) -> None:
    """Transformers keep as many of equally likely tokens as we do, but any of them: their sort is not stable."""
    logits = tied_logits(5)
    ours, theirs = settings.distribution(logits), by_transformers(settings, logits)
    assert np.abs(ours - settings.distribution(torch.from_numpy(logits)).numpy()).max() <= 1e-15
    assert np.abs(np.sort(ours) - np.sort(theirs)).max() <= 1e-15
    if settings.top_p == 1:
        assert np.abs(ours - theirs).max() <= 1e-15


def test_the_cuts_do_go_through_ties() -> None:
    """In many rows a token that top-p removes is as likely as one that it keeps."""
    logits = tied_logits(5)
    kept = SamplingSettings(top_p=0.9).distribution(logits) > 0
    least_kept = np.where(kept, logits, INF).min(axis=-1)
    assert np.mean(least_kept == np.where(kept, -INF, logits).max(axis=-1)) > 0.3


@pytest.mark.parametrize(
    ("settings", "kept"),
    [
        (SamplingSettings(top_k=2), [0, 1, 2]),  # the third is as likely as the second
        (SamplingSettings(top_p=0.5), [0]),  # the others' sum is exactly 1 - 0.5
        (SamplingSettings(top_p=0.5 + 2**-40), [0, 1]),  # of ties the smaller id stays
        (SamplingSettings(top_p=0.75 + 2**-40), [0, 1, 2]),
        (SamplingSettings(min_p=0.5), [0, 1, 2]),
        (SamplingSettings(min_p=0.5 + 2**-40), [0]),
        (SamplingSettings(top_k=1, top_p=1e-9, min_p=0.9), [0]),
        (SamplingSettings(0.5, min_p=0.5), [0]),  # the temperature squares the probabilities first
        (SamplingSettings(top_k=3, top_p=0.75), [0, 1]),  # shares 1/2, 1/4, 1/4, not those of all five tokens
    ],
)
def test_what_is_kept_of_powers_of_two(settings: SamplingSettings, kept: list[int]) -> None:
    logits = np.log(2.0) * np.array([0, -1, -1, -INF, -INF])
    assert np.flatnonzero(settings.distribution(logits)).tolist() == kept
    assert np.flatnonzero(settings.distribution(torch.tensor(logits)).numpy()).tolist() == kept


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.int64])
def test_other_dtypes_are_made_float64_exactly(dtype: torch.dtype) -> None:
    logits = torch.tensor([[1.5, -2.0, 3.0], [0.0, 0.0, -7.0]]).to(dtype)
    settings = SamplingSettings(0.7, top_p=0.95)
    expected = settings.distribution(logits.double().numpy())
    assert np.abs(settings.distribution(logits).numpy() - expected).max() <= 1e-15
    if dtype != torch.bfloat16:
        assert np.array_equal(settings.distribution(logits.numpy()), expected)


def test_chunks_of_rows_are_the_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    logits = tied_logits(7, rows=30).reshape(5, 6, 53)
    whole = SamplingSettings(0.7, top_p=0.9).distribution(logits)
    monkeypatch.setattr(sampling_settings, "CHUNK_ENTRIES", 4 * 53)
    assert np.array_equal(SamplingSettings(0.7, top_p=0.9).distribution(logits), whole)
    logits[3, 2, 11] = NAN
    with pytest.raises(InvalidInput, match=r"^logits\[3, 2, 11\] = nan is not a logit"):
        SamplingSettings().distribution(logits)


def test_nothing_is_sorted_without_need(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: Any, **options: Any) -> None:
        raise AssertionError("sorted")

    monkeypatch.setattr(np, "sort", refuse)
    SamplingSettings(0.5, min_p=0.1).distribution(np.zeros((2, 3)))
    with pytest.raises(AssertionError, match="sorted"):
        SamplingSettings(top_p=0.9).distribution(np.zeros((2, 3)))


def test_a_gradient_is_left_behind() -> None:
    logits = torch.zeros(2, requires_grad=True)
    assert SamplingSettings().distribution(logits).tolist() == [0.5, 0.5]


def test_no_rows_are_no_distributions() -> None:
    assert SamplingSettings(top_k=1).distribution(np.zeros((0, 3))).shape == (0, 3)


def test_softmax_is_the_distribution_at_a_temperature() -> None:
    logits = tied_logits(3)
    assert np.array_equal(softmax(logits, 0.6), SamplingSettings(0.6).distribution(logits))


@pytest.mark.parametrize("wrap", [np.array, torch.tensor])
@pytest.mark.parametrize(
    ("logits", "message"),
    [
        ([[0.0, 1.0], [NAN, 1.0]], r"^mine\[1, 0\] = nan is not a logit"),
        ([[0.0, 1.0], [-INF, INF]], r"^mine\[1, 1\] = inf is not a logit"),
        ([[-INF, -INF], [0.0, 1.0]], r"^mine\[0, 0\] = -inf like its whole row: leave it some token$"),
        ([INF, -INF], r"^mine\[0\] = inf is not a logit"),
        ([], r"^mine has shape \(0,\): its last axis must hold at least one token"),
        (1.0, r"^mine has shape \(\)"),
        ([True, False], r"^mine is not an array of real numbers \(dtype"),
        ([1j, 0], r"^mine is not an array of real numbers \(dtype"),
    ],
)
def test_rows_that_are_no_logits_are_named(wrap: Any, logits: Any, message: str) -> None:
    for settings in (SamplingSettings(), SamplingSettings(0.7, 2, 0.9, 0.1)):
        with pytest.raises(InvalidInput, match=message) as caught:
            settings.distribution(wrap(logits), "mine")
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("temperature", value) for value in (0, -1.0, NAN, INF, True, "hot", None)),
        *(("top_k", value) for value in (-1, 1.5, NAN, True, "5", None)),
        *(("top_p", value) for value in (0, -0.1, 1.1, NAN, True, "0.9", None)),
        *(("min_p", value) for value in (-0.1, 1, NAN, INF, True, "0.1", None)),
    ],
)
def test_settings_out_of_range_are_refused(field: str, value: Any) -> None:
    with pytest.raises(InvalidInput, match=f"^{field} is {value!r}: it must be") as caught:
        SamplingSettings(**{field: value})
    assert "\n" not in str(caught.value)


def test_settings_are_plain_numbers_and_equal_by_value() -> None:
    settings = SamplingSettings(Fraction(1, 2), np.int64(3), np.float32(0.5), 0)  # type: ignore[arg-type]
    assert settings == SamplingSettings(0.5, 3, 0.5)
    assert [type(value) for value in vars(settings).values()] == [float, int, float, float]
