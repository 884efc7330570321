"""Scorers: what they compute, against forward passes of their models, and those that return what cannot be used."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_llama import save_reward_model
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from specproof.simulations.language_models.checkpoints import open_reward_model
from specproof.simulations.language_models.model_pair import ModelPair
from specproof.simulations.language_models.pairs import load_pair
from specproof.simulations.language_models.prompts import Prompt
from specproof.simulations.language_models.scoring import (
    Continuation,
    likelihood_scorer,
    load_scorer,
    parse_scorer,
    reward_scorer,
    score,
)
from specproof.theory.errors import InvalidInput
from specproof.theory.sampling_settings import SamplingSettings

PROMPTS = [Prompt("w1 w2 w3", "a"), Prompt("w4", "b", chat=True), Prompt("w1 w2 w3", "c")]
CONTINUATIONS = [
    Continuation([5, 6], " w5 w6"),
    Continuation([7, 0, 2, 1], " w7 w0 w2 w1"),
    Continuation([4], " w4"),
]


@pytest.fixture
def tiny(make_checkpoint: Any) -> ModelPair:
    return load_pair(f"hf:{make_checkpoint('draft', 11)},{make_checkpoint('target', 12)}", "cpu")


def test_the_likelihood_is_the_mean_over_the_continuation_of_the_targets_log_probabilities(tiny: ModelPair) -> None:
    scores = score(likelihood_scorer(tiny), "likelihood", PROMPTS, CONTINUATIONS)
    for prompt, continuation, found in zip(PROMPTS, CONTINUATIONS, scores, strict=True):
        text = tiny.tokenizer(prompt.text)["input_ids"] + continuation.tokens
        with torch.no_grad():
            laws = torch.log_softmax(tiny.target.module(torch.tensor([text])).logits[0].double(), dim=-1)
        length = len(continuation.tokens)
        terms = [float(laws[place - 1, text[place]]) for place in range(len(text) - length, len(text))]
        assert found == pytest.approx(np.mean(terms), abs=1e-5)
    assert np.ptp(scores) > 0.01


def test_likelihood_of_what_is_next_to_impossible_is_finite(tiny: ModelPair) -> None:
    """Probabilities would underflow to 0 at this temperature, and their logarithms to -inf; no filter makes them."""
    cold = tiny.with_settings(SamplingSettings(1e-4, top_k=1))
    scores = score(likelihood_scorer(cold), "likelihood", PROMPTS, CONTINUATIONS)
    assert scores.min() < math.log(np.finfo(float).tiny)


@pytest.fixture
def rewarding(tmp_path: Path) -> Any:
    """A function that writes a reward model to a folder and gives the folder."""

    def make(name: str = "reward", **options: Any) -> Path:
        save_reward_model(tmp_path / name, 3, **options)
        return tmp_path / name

    return make


def reward_of(folder: Path, *texts: str) -> float:
    inputs = AutoTokenizer.from_pretrained(folder)(*texts, return_tensors="pt")
    module = AutoModelForSequenceClassification.from_pretrained(folder)
    with torch.no_grad():
        return float(module(inputs["input_ids"]).logits[0, 0])


def test_a_reward_model_sees_prompt_and_continuation(rewarding: Any, silent: Any) -> None:
    folder = rewarding()
    scores = score(reward_scorer(str(folder), "cpu"), "hf", PROMPTS, CONTINUATIONS)
    silent()
    expected = [reward_of(folder, "w1 w2 w3 w5 w6"), reward_of(folder, "w4", " w7 w0 w2 w1")]
    assert scores[:2] == pytest.approx(expected, abs=1e-6)
    assert len(set(scores.tolist())) == 3


def test_a_chat_goes_through_the_reward_models_own_template(rewarding: Any) -> None:
    folder = rewarding()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.chat_template = "{% for m in messages %}w0 {{ m['content'] }} {% endfor %}"
    tokenizer.save_pretrained(folder)
    scores = score(reward_scorer(str(folder), "cpu"), "hf", PROMPTS, CONTINUATIONS)
    assert scores[1] == pytest.approx(reward_of(folder, "w0 w4 w0 w7 w0 w2 w1"), abs=1e-6)
    assert scores[0] == pytest.approx(reward_of(folder, "w1 w2 w3 w5 w6"), abs=1e-6)


def test_scorers_are_loaded_by_name(rewarding: Any, tiny: ModelPair) -> None:
    folder = rewarding()
    by_name = score(load_scorer(f"hf: {folder}", tiny.name, "cpu"), "hf", PROMPTS, CONTINUATIONS)
    assert by_name.tolist() == score(reward_scorer(str(folder), "cpu"), "hf", PROMPTS, CONTINUATIONS).tolist()
    by_name = score(load_scorer("likelihood", tiny.name, "cpu"), "likelihood", PROMPTS, CONTINUATIONS)
    assert by_name.tolist() == score(likelihood_scorer(tiny), "likelihood", PROMPTS, CONTINUATIONS).tolist()


def test_names_have_a_normal_form() -> None:
    assert [parse_scorer(name) for name in ("likelihood", "hf: some/model ")] == ["likelihood", "hf:some/model"]


@pytest.mark.parametrize("name", ["", "hf", "hf:", "hf:  ", "likelihood:x", "reward:x", "Likelihood"])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match=f"no scorer '{name}': choose one of likelihood .*hf:NAME"):
        parse_scorer(name)


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        ([1.0, math.nan, 2.0], r"scorer mine gave continuation 1 \(' w7 w0 w2 w1', of prompt b\) the score nan"),
        ([1.0, 2.0, math.inf], r"scorer mine gave continuation 2 \(' w4', of prompt c\) the score inf"),
        ([-math.inf, 2.0, 1.0], r"scorer mine gave continuation 0 .* the score -inf"),
        ([1.0, 2.0], r"scorer mine returned shape \(2,\) for 3 continuations"),
        (1.0, r"scorer mine returned shape \(\) for 3"),
        ([[1.0], [2.0], [3.0]], r"scorer mine returned shape \(3, 1\) for 3"),
        (["good", "bad", "ugly"], r"scorer mine does not return numbers \(could not convert"),
        (None, r"scorer mine returned shape \(\) for 3"),
        ([1j, 1, 1], "scorer mine does not return numbers"),
        ([torch.tensor(1.0, requires_grad=True)] * 3, "scorer mine does not return numbers"),
        (torch.tensor([1.0, math.nan, 2.0], dtype=torch.bfloat16), "scorer mine gave continuation 1 .* the score nan"),
    ],
    ids=str,
)
def test_scores_that_cannot_be_compared_are_refused(returned: Any, message: str) -> None:
    with pytest.raises(InvalidInput, match=message) as caught:
        score(lambda prompts, continuations: returned, "mine", PROMPTS, CONTINUATIONS)
    assert "\n" not in str(caught.value)


def test_any_function_is_a_scorer_and_integers_are_numbers() -> None:
    def longest(prompts: Any, continuations: Any) -> list[int]:
        assert [prompt.id for prompt in prompts] == ["a", "b", "c"]
        return [len(each.tokens) for each in continuations]

    assert score(longest, "mine", PROMPTS, CONTINUATIONS).tolist() == [2.0, 4.0, 1.0]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("has_gradient", [False, True])
def test_tensors_are_numbers_whatever_their_kind(dtype: torch.dtype, has_gradient: bool) -> None:
    returned = torch.tensor([0.5, -2.0, 1.25], dtype=dtype, requires_grad=has_gradient)
    found = score(lambda prompts, continuations: returned, "mine", PROMPTS, CONTINUATIONS)
    assert found.tolist() == [0.5, -2.0, 1.25]


def test_an_error_inside_a_scorer_is_its_own() -> None:
    def broken(prompts: Any, continuations: Any) -> list[float]:
        raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"):
        score(broken, "mine", PROMPTS, CONTINUATIONS)


def test_a_text_too_long_for_the_reward_model(rewarding: Any, silent: Any) -> None:
    scorer = reward_scorer(str(rewarding()), "cpu")
    long = [Prompt("w1 " * 64, "endless")]
    with pytest.raises(InvalidInput, match=r"prompt endless with its continuation has 66 tokens .* takes 1 to 64"):
        scorer(long, CONTINUATIONS[:1])
    silent()


def test_what_is_not_a_reward_model(rewarding: Any, make_checkpoint: Any) -> None:
    with pytest.raises(InvalidInput, match="has 2 labels: choose a reward model, which has one"):
        open_reward_model(str(rewarding("two", labels=2)), "cpu")
    with pytest.raises(InvalidInput, match=r"lacks 1 weights, such as score.weight: .* SequenceClassification"):
        open_reward_model(str(make_checkpoint("causal")), "cpu")
    with pytest.raises(InvalidInput, match=r"holds no config\.json"):
        open_reward_model(str(rewarding().parent), "cpu")
