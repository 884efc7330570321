"""What ``generate`` can be asked for with our rules, and what is refused."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
import torch
from generated_laws import (
    PROMPT,
    T,
    V,
    generate,
)
from transformers import BloomConfig, BloomForCausalLM
from transformers.generation import GenerateDecoderOnlyOutput, StoppingCriteriaList

from specproof.simulations.samplers import single
from specproof.theory.errors import InvalidInput
from specproof.transformers import speculative, speculative_batch, speculative_sequences


def test_the_longest_text_sets_the_width(make_llama: Any, draft: Any) -> None:
    """Seed 1 ends all four texts before the maximum, as the first assertion says."""
    output = generate(make_llama(12, eos=2), speculative(draft), 1, texts=4, max_new_tokens=40, pad_token_id=0)
    width = output.sequences.shape[1]
    assert width < len(PROMPT) + 40
    assert output.rejected.shape == (4, width - len(PROMPT))
    assert ((output.sequences[:, len(PROMPT) :] == 2).sum(dim=1) == 1).all()
    assert (output.sequences[:, -1] == 2).any()


class StopAfterPair:
    """Stops a text when its last two tokens are equal."""

    def __call__(self, input_ids: torch.Tensor, scores: Any, **_: Any) -> torch.Tensor:
        return input_ids[:, -1] == input_ids[:, -2]


def test_stopping_criteria_are_asked_after_every_token(draft: Any, target: Any) -> None:
    criteria = StoppingCriteriaList([StopAfterPair()])
    rule = speculative_batch(draft, 2, 4)
    output = generate(target, rule, texts=50, max_new_tokens=12, stopping_criteria=criteria, pad_token_id=0)
    ends = set()
    for row in output.sequences.tolist():
        pairs = [index for index in range(len(PROMPT), len(row)) if row[index] == row[index - 1]]
        stop = pairs[0] + 1 if pairs else len(row)
        assert set(row[stop:]) <= {0}
        ends.add(stop)
    assert len(ends) > 5


@pytest.mark.parametrize("length", [1, 2, 7])
def test_max_new_tokens_is_kept_to_whatever_the_draft_length(draft: Any, target: Any, length: int) -> None:
    for rule in (speculative(draft, draft_length=4), speculative_batch(draft, 2, 4), speculative_sequences(draft, 2)):
        output = generate(target, rule, texts=5, max_new_tokens=length)
        assert output.sequences.shape == (5, len(PROMPT) + length)
        assert (output.target_calls >= -(-length // 4)).all()


def test_what_is_returned_is_what_generate_returns(draft: Any, target: Any) -> None:
    rule = speculative(draft)
    output = generate(target, rule, texts=2)
    assert isinstance(output, GenerateDecoderOnlyOutput)
    tensor = generate(target, rule, texts=2, return_dict_in_generate=False)
    assert isinstance(tensor, torch.Tensor)
    assert torch.equal(tensor, output.sequences), "the seed of torch repeats a run"
    assert not torch.equal(tensor, generate(target, rule, 5, texts=2).sequences)
    tensor[0, 0] += 1  # an ordinary tensor, free to be changed
    assert generate(target, rule, texts=2, num_return_sequences=3).sequences.shape == (6, len(PROMPT) + T)


def test_a_streamer_gets_the_prompt_and_every_token(draft: Any, target: Any) -> None:
    class Streamer:
        def __init__(self) -> None:
            self.parts: list[list[int]] = []
            self.ended = False

        def put(self, value: torch.Tensor) -> None:
            self.parts.append(value.flatten().tolist())

        def end(self) -> None:
            self.ended = True

    streamer = Streamer()
    output = generate(target, speculative_batch(draft, 2, streamer=streamer), texts=1, max_new_tokens=9)
    assert streamer.ended
    assert [len(part) for part in streamer.parts] == [len(PROMPT)] + [1] * 9
    assert list(itertools.chain(*streamer.parts)) == output.sequences[0].tolist()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"do_sample": False}, "do_sample is False.*top_k=1"),
        ({"num_beams": 2}, "num_beams is 2"),
        ({"output_scores": True}, "output_scores is True"),
        ({"guidance_scale": 1.5}, "UnbatchedClassifierFreeGuidanceLogitsProcessor cannot take back"),
        ({"max_new_tokens": 62}, "context of 64"),
        ({"stopping_criteria": StoppingCriteriaList([StopAfterPair()])}, "pad_token_id is not set"),
        ({"prefix_allowed_tokens_fn": lambda index, ids: [0], "suppress_tokens": [0]}, "leave no token"),
        (
            {"cache_implementation": "static"},
            "cache_implementation is 'static': speculative decoding has a dynamic cache",
        ),
        ({"prompt_lookup_num_tokens": 3}, "prompt_lookup_num_tokens is 3: the drafts are the assistant's"),
        ({"inputs_embeds": torch.zeros(2, 3, 16)}, "inputs_embeds was given"),
        ({"attention_mask": torch.tensor([[1, 1, 1], [0, 0, 0]])}, r"input_ids\[1\] has no tokens"),
    ],
)
def test_what_cannot_be_done_is_refused(draft: Any, target: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        generate(target, speculative_batch(draft, 2), texts=2, **options)


def test_a_cache_that_holds_a_text_is_refused(draft: Any, target: Any) -> None:
    with torch.no_grad():
        cache = target(torch.tensor([PROMPT[:2]]), use_cache=True).past_key_values
    with pytest.raises(InvalidInput, match="past_key_values holds a text"):
        generate(target, speculative(draft), texts=1, past_key_values=cache)


def test_wrong_rules_are_refused_when_made(draft: Any) -> None:
    bloom = BloomForCausalLM(BloomConfig(vocab_size=V, hidden_size=8, n_layer=1, n_head=1))
    cases: list[tuple[Callable[[], object], str]] = [
        (lambda: speculative(draft, draft_length=0), "draft_length is 0"),
        (lambda: speculative_batch(draft, 2, draft_length=0), "draft_length is 0"),
        (lambda: speculative_batch(draft, 0), "num_drafts is 0"),
        (lambda: speculative_sequences(draft, 0), "num_drafts is 0"),
        (lambda: speculative_sequences(draft, 2, draft_length=0), "draft_length is 0"),
        (lambda: speculative_sequences(draft, 2, verifier="best"), "verifier is 'best': choose one of .*kseq"),
        *(
            (lambda length=length: speculative(draft, draft_length=length), f"draft_length is {length!r}: it must be")
            for length in (1.5, True, "2", None)
        ),
        (lambda: speculative(None), "assistant is None: give a loaded transformers model"),
        (lambda: speculative_batch("gpt2", 2), "assistant is 'gpt2': give a loaded transformers model"),
        (lambda: speculative(draft, "opt"), "verifier is 'opt': give 'block', 'priority-layer', or a function"),
        (lambda: speculative_sequences(draft, 2, verifier=single.verify), "verifier is <function"),  # type: ignore[arg-type]
        (lambda: speculative(bloom), "the assistant is a BloomForCausalLM"),
    ]
    for make, message in cases:
        with pytest.raises(InvalidInput, match=message):
            make()
