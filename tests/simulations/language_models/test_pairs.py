"""Pair names, what is listed, and loading: own pairs from a stand-in for the default target, others from folders."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from specproof.simulations.language_models import int8, pair_names, pairs
from specproof.simulations.language_models.model import LanguageModel
from specproof.simulations.language_models.ngram import NGramModel
from specproof.simulations.language_models.pair_names import DEFAULT_PAIR, parse_pair
from specproof.simulations.language_models.pairs import available_pairs, load_pair, resolve_device
from specproof.theory.errors import InvalidInput
from specproof.theory.sampling_settings import SamplingSettings


@pytest.fixture
def fresh() -> Iterator[None]:
    """Nothing loaded before, nothing left behind."""
    cached = (pairs._smollm2, pairs._load_own, pairs._load_hf)
    for function in cached:
        function.cache_clear()
    yield
    for function in cached:
        function.cache_clear()


@pytest.mark.parametrize(
    ("name", "normal"),
    [
        ("rtn:4", "rtn:4"),
        ("rtn:08", "rtn:8"),
        ("int8", "int8"),
        ("int8:float32", "int8"),
        ("int8:bfloat16", "int8:bfloat16"),
        ("ngram:03", "ngram:3"),
        ("skip:20,12, 16,12", "skip:12,16,20"),
        ("temperature:1.50", "temperature:1.5"),
        ("hf:a/b, ./c", "hf:a/b,./c"),
    ],
)
def test_equal_pairs_have_equal_names(name: str, normal: str) -> None:
    assert parse_pair(name) == parse_pair(normal)
    assert parse_pair(name).name == normal


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gpt", "no model pair 'gpt': choose one of rtn:BITS"),
        ("rtn", "no model pair 'rtn'"),
        ("", "no model pair ''"),
        ("rtn:1", "bits of 'rtn:1' is '1'"),
        ("rtn:9", "bits of 'rtn:9'"),
        ("rtn:4.0", "bits of"),
        ("int8:half", "target of 'int8:half' is 'half'"),
        ("ngram", "no model pair 'ngram'"),
        ("ngram:0", "length of 'ngram:0' is '0'"),
        ("ngram:17", "length of"),
        ("ngram:x", "length of"),
        ("skip:", "layer '' of 'skip:'"),
        ("skip:3,30", "layer '30' of"),
        ("skip:-1", "layer '-1' of"),
        ("skip:" + ",".join(map(str, range(30))), "skips all 30 layers"),
        ("temperature:0", "temperature of 'temperature:0' is '0'"),
        ("temperature:-2", "temperature of"),
        ("temperature:nan", "temperature of"),
        ("temperature:inf", "temperature of"),
        ("temperature:hot", "temperature of"),
        ("hf:one", "does not name exactly two models"),
        ("hf:a,b,c", "does not name exactly two models"),
        ("hf:a,", "does not name exactly two models"),
    ],
)
def test_a_wrong_name_is_refused_in_one_line(name: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message) as caught:
        parse_pair(name)
    assert "\n" not in str(caught.value)


def test_what_is_listed_can_be_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SPECPROOF_CACHE", str(tmp_path))
    listed = available_pairs()
    assert [pair.name for pair in listed] == [parse_pair(pair.name).name for pair in listed]
    assert listed[0].name == DEFAULT_PAIR
    assert {parse_pair(pair.name).kind for pair in listed} == set(pair_names._PARSERS)
    assert [pair.cached for pair in listed] == [False] * 5 + [None]
    assert all(pair.missing == () for pair in listed)
    (tmp_path / "smollm2-135m-instruct").mkdir()
    (tmp_path / "smollm2-135m-instruct" / "manifest.json").touch()
    assert [pair.cached for pair in available_pairs()] == [True] * 5 + [None]


def test_names_are_understood_and_listed_without_the_extra() -> None:
    """In a process where every package of the extra is hidden, and loading says what to install."""
    code = """
import sys
from importlib.machinery import PathFinder
from specproof.simulations.language_models import pairs
hidden = set(pairs.REQUIRED)
find = PathFinder.find_spec
PathFinder.find_spec = lambda name, *rest: None if name.split(".")[0] in hidden else find(name, *rest)
assert not hidden & set(sys.modules), hidden & set(sys.modules)
from specproof.simulations.language_models.pair_names import parse_pair
print(parse_pair("rtn:4").bits, [pair.cached for pair in pairs.available_pairs()], pairs.resolve_device("cpu"))
assert set(pairs.available_pairs()[0].missing) == hidden
try:
    pairs.load_pair()
except Exception as error:
    print(type(error).__name__, error)
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    first, second = result.stdout.splitlines()
    assert first == "4 [False, False, False, False, False, None] cpu"
    assert second.startswith("InvalidInput language models need accelerate, filelock")
    assert "specproof[llm]" in second


def test_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert (resolve_device("auto"), resolve_device("cpu")) == ("cpu", "cpu")
    with pytest.raises(InvalidInput, match="finds no CUDA device"):
        resolve_device("cuda")
    with pytest.raises(InvalidInput, match="device is 'tpu'"):
        resolve_device("tpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert (resolve_device("auto"), resolve_device("cuda")) == ("cuda", "cuda")


@pytest.mark.usefixtures("fresh")
def test_own_pairs_share_the_target(monkeypatch: pytest.MonkeyPatch, make_checkpoint: Any, silent: Any) -> None:
    folder = make_checkpoint("smollm2", seed=4, hidden=32)
    monkeypatch.setattr(pairs, "fetch_smollm2", lambda: folder)
    rtn, skip, warm = (load_pair(name, "cpu") for name in ("rtn:3", "skip:1", "temperature:1.5"))
    assert rtn.target.module is skip.target.module is warm.target.module is warm.draft.module
    assert rtn.draft.module.model.norm.weight is rtn.target.module.model.norm.weight
    assert not torch.equal(
        rtn.draft.module.model.layers[0].mlp.up_proj.weight, rtn.target.module.model.layers[0].mlp.up_proj.weight
    )
    assert len(skip.draft.module.model.layers) == 1
    warmer = warm.with_settings(SamplingSettings(0.5, top_p=0.9)).with_settings(SamplingSettings(2.0, top_k=3), 4.0)
    assert [each.draft.settings for each in (warm, rtn, warmer)] == [
        SamplingSettings(1.5),
        SamplingSettings(),
        SamplingSettings(6.0, top_k=3),
    ]
    assert [each.target.settings for each in (warm, warmer)] == [SamplingSettings(), SamplingSettings(2.0, top_k=3)]
    with pytest.raises(InvalidInput, match=r"^draft_temperature is 0"):
        warm.with_settings(SamplingSettings(), 0.0)
    assert {model.vocabulary for pair in (rtn, skip, warm) for model in (pair.draft, pair.target)} == {8}
    assert load_pair("temperature:1.50", "cpu") is warm
    assert not rtn.target.module.training
    silent()


@pytest.mark.usefixtures("fresh")
def test_int8_has_the_target_in_either_type_and_ngrams_no_draft_model(
    monkeypatch: pytest.MonkeyPatch, make_checkpoint: Any, silent: Any
) -> None:
    folder = make_checkpoint("smollm2", seed=4, hidden=32)
    monkeypatch.setattr(pairs, "fetch_smollm2", lambda: folder)
    wide, narrow, ngram = (load_pair(name, "cpu") for name in ("int8", "int8:bfloat16", "ngram:2"))
    assert (wide.target.module.dtype, narrow.target.module.dtype) == (torch.float32, torch.bfloat16)
    for pair in (wide, narrow):
        assert isinstance(pair.draft, LanguageModel)
        assert isinstance(pair.draft.module.lm_head, int8.Int8Linear)
    assert ngram.target.module is wide.target.module
    assert ngram.draft == NGramModel(8, "cpu", longest=2, settings=ngram.draft.settings)
    silent()


@pytest.mark.usefixtures("fresh")
def test_two_folders_make_a_pair_cropped_to_the_common_width(make_checkpoint: Any, silent: Any) -> None:
    draft, target = make_checkpoint("draft", vocabulary=10), make_checkpoint("target", seed=2)
    pair = load_pair(f"hf:{draft},{target}", "cpu")
    assert (pair.draft.vocabulary, pair.target.vocabulary) == (8, 8)
    assert pair.draft.module.config.vocab_size == 10
    assert pair.target.module.dtype == torch.float32
    assert pair.tokenizer("w1 w5")["input_ids"] == [1, 5]
    silent()


@pytest.mark.usefixtures("fresh")
@pytest.mark.parametrize(
    ("words", "difference"),
    [
        ([f"w{index}" for index in range(7)], "7 tokens against 8"),
        (
            ["w0", "w1", "w3", "w2", *(f"w{index}" for index in range(4, 8))],
            "token 2 of the target is 'w2', .* numbers 3",
        ),
        (["w0", "w1", "other", *(f"w{index}" for index in range(3, 8))], "token 2 .* the draft numbers None"),
    ],
)
def test_different_tokenizers_are_refused(make_checkpoint: Any, words: list[str], difference: str) -> None:
    draft, target = make_checkpoint("draft", words=words), make_checkpoint("target")
    with pytest.raises(InvalidInput, match=difference):
        load_pair(f"hf:{draft},{target}", "cpu")


@pytest.mark.usefixtures("fresh")
def test_a_tokenizer_larger_than_a_model_is_refused(make_checkpoint: Any) -> None:
    words = [f"w{index}" for index in range(9)]
    draft, target = make_checkpoint("draft", words=words), make_checkpoint("target", words=words)
    with pytest.raises(InvalidInput, match=r"has 9 tokens, but a model of .* knows only 8"):
        load_pair(f"hf:{draft},{target}", "cpu")
