"""Our rules inside ``generate`` of real transformers models, against laws enumerated without a cache.

Exact tests compare every law that a rule was handed with that of the text before it. Statistical tests: level 1e-8
each, 10,000 texts of three tokens, fixed seeds. A deviation of 0.045 in the probability of any of the 512 texts, or of
any first or last token, is seen with probability 0.99 (each test asserts it).
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from transformers import BloomConfig, BloomForCausalLM
from transformers.generation import GenerateDecoderOnlyOutput, StoppingCriteriaList

from specproof.simulations.language_models.custom_generate import Speculative
from specproof.simulations.language_models.level_by_level import LevelByLevel
from specproof.simulations.samplers import SAMPLERS, recursive, single
from specproof.simulations.samplers.selection import Selection, SelectionSampler, replace_rejected
from specproof.simulations.statistics import check_law, check_mean
from specproof.theory.chain import TabularModel
from specproof.theory.errors import InvalidInput
from specproof.theory.rejections import expected_rejections_batch
from specproof.theory.relaxed import decoding_opt, decoding_uno
from specproof.transformers import opt_sampler, speculative, speculative_batch, speculative_sequences, uno_sampler

V, T, TEXTS = 8, 3, 10_000
LEVEL = 1e-8
PROMPT = [1, 2, 3]
TEMPERATURE, TOP_K = 0.7, 5
PROCESSED = {"temperature": TEMPERATURE, "top_k": TOP_K}

Array = NDArray[np.float64]
Law = Callable[[Any, list[list[int]]], Array]


def softmax(scores: Array) -> Array:
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    rows: Array = weights / weights.sum(axis=-1, keepdims=True)
    return rows


def logits(module: Any, texts: list[list[int]]) -> Array:
    with torch.no_grad():
        rows: Array = module(torch.tensor(texts), use_cache=False).logits[:, -1].double().numpy()
    return rows


def truncated(scores: Array) -> Array:
    """The law at this temperature over the likeliest tokens."""
    kept = scores >= np.sort(scores, axis=-1)[..., -TOP_K, None]
    return softmax(np.where(kept, scores / TEMPERATURE, -np.inf))


def plain_law(module: Any, texts: list[list[int]]) -> Array:
    return softmax(logits(module, texts))


def processed_law(module: Any, texts: list[list[int]]) -> Array:
    return truncated(logits(module, texts))


def warm_law(module: Any, texts: list[list[int]]) -> Array:
    return softmax(logits(module, texts) / TEMPERATURE)


def repelled_law(module: Any, texts: list[list[int]]) -> Array:
    """As ``processed_law`` with a repetition penalty of 1.5 before."""
    scores = logits(module, texts)
    for row, text in zip(scores, texts, strict=True):
        seen = sorted(set(text))
        row[seen] = np.where(row[seen] < 0, row[seen] * 1.5, row[seen] / 1.5)
    return truncated(scores)


@functools.cache
def tables(module: Any, law: Law) -> TabularModel:
    prefixes = ([PROMPT + list(tail) for tail in itertools.product(range(V), repeat=length)] for length in range(T))
    return TabularModel([law(module, texts).reshape((V,) * (n + 1)) for n, texts in enumerate(prefixes)])


@pytest.fixture(scope="module")
def draft(make_llama: Any) -> Any:
    return make_llama(11)


@pytest.fixture(scope="module")
def target(make_llama: Any) -> Any:
    return make_llama(12)


def generate(target: Any, rule: Speculative, seed: int = 1, texts: int = TEXTS, **options: Any) -> Any:
    """``texts`` continuations of one prompt, by default of three tokens."""
    torch.manual_seed(seed)
    settings = {"do_sample": True, "max_new_tokens": T, "return_dict_in_generate": True, **options}
    return target.generate(torch.tensor([PROMPT] * texts), custom_generate=rule, **settings)


def refuted(sequences: torch.Tensor, law: Array) -> bool:
    """Whether the joint law is, or that of the first or the last token, each at a third of the level."""
    tokens = sequences[:, len(PROMPT) :].numpy()
    checks = [
        check_law(np.ravel_multi_index(tuple(tokens.T), law.shape), law.reshape(-1), LEVEL / 3),
        check_law(tokens[:, 0], law.sum(axis=(1, 2)), LEVEL / 3),
        check_law(tokens[:, -1], law.sum(axis=(0, 1)), LEVEL / 3),
    ]
    for check in checks:
        assert check.is_refuted or check.detectable <= 0.045
    return any(check.is_refuted for check in checks)


def assert_mean_rejections(output: Any, exact: float) -> None:
    """A shift of 0.13 in the mean is seen with probability 0.99; one draft more shifts it by 0.14 or more."""
    counts = output.rejected.sum(dim=1).numpy().astype(np.float64)
    check = check_mean(counts, 0.0, float(T), exact, LEVEL)
    assert check.detectable < 0.13
    assert not check.is_refuted


@pytest.mark.parametrize(
    ("draft_length", "law", "options"), [(1, plain_law, {}), (2, processed_law, PROCESSED), (3, plain_law, {})]
)
def test_one_draft_is_lossless(draft: Any, target: Any, draft_length: int, law: Law, options: dict[str, Any]) -> None:
    output = generate(target, speculative(draft, draft_length=draft_length), **options)
    models = tables(draft, law), tables(target, law)
    assert not refuted(output.sequences, models[1].joint())
    assert_mean_rejections(output, expected_rejections_batch(*models, 1))


@pytest.mark.parametrize(
    ("num_drafts", "draft_length", "law", "options"),
    [
        (2, 1, plain_law, {}),
        (2, 3, processed_law, PROCESSED),
        (3, 2, processed_law, PROCESSED),
    ],
)
def test_batches_are_lossless_and_reject_as_often_as_theorem_3_says(
    draft: Any, target: Any, num_drafts: int, draft_length: int, law: Law, options: dict[str, Any]
) -> None:
    output = generate(target, speculative_batch(draft, num_drafts, draft_length), **options)
    models = tables(draft, law), tables(target, law)
    assert not refuted(output.sequences, models[1].joint())
    assert_mean_rejections(output, expected_rejections_batch(*models, num_drafts))


@pytest.mark.parametrize("verifier", SAMPLERS)
def test_draft_sequences_are_lossless_by_any_verifier(draft: Any, target: Any, verifier: str) -> None:
    output = generate(target, speculative_sequences(draft, 3, 2, verifier), **PROCESSED)
    assert not refuted(output.sequences, tables(target, processed_law).joint())
    assert 0.1 < output.rejected.double().mean() < 0.9


def test_more_draft_sequences_need_fewer_calls(draft: Any, target: Any) -> None:
    """Means over 2,000 texts, far apart: 6.6 standard errors of the nearer two at the least."""
    calls = [
        generate(target, speculative_sequences(draft, count, 4), texts=2000, max_new_tokens=12).target_calls.double()
        for count in (1, 2, 4)
    ]
    means, error = [float(part.mean()) for part in calls], float(calls[0].std()) / 2000**0.5
    assert means[0] > means[1] + 6 * error
    assert means[1] > means[2] + 6 * error


def with_rule(generated: Speculative, **changes: Any) -> Speculative:
    """The same with another rule for one position, or in another detail of its rule for a round."""
    assert isinstance(generated.rule, LevelByLevel)
    return dataclasses.replace(generated, rule=dataclasses.replace(generated.rule, **changes))


def test_draft_sequences_that_disagree_kept_alive_are_refuted(draft: Any, target: Any) -> None:
    def revive(alive: torch.Tensor, drafts: torch.Tensor, selection: Selection) -> torch.Tensor:
        return alive & (selection.accepted >= 0)[:, None]

    output = generate(target, with_rule(speculative_sequences(draft, 3, 3), survivors=revive))
    assert refuted(output.sequences, tables(target, plain_law).joint())


def test_one_draft_sequence_is_one_draft(draft: Any, target: Any) -> None:
    for length in (1, 2, 5):
        one, other = (
            generate(target, rule, texts=1, max_new_tokens=40)
            for rule in (speculative(draft, draft_length=length), speculative_sequences(draft, 1, length))
        )
        assert torch.equal(one.sequences, other.sequences)
        assert torch.equal(one.rejected, other.rejected)
        assert torch.equal(one.target_calls, other.target_calls)


def test_a_batch_of_one_is_one_draft(draft: Any, target: Any) -> None:
    for length in (1, 2, 5):
        one, other = (
            generate(target, rule, texts=50, max_new_tokens=12)
            for rule in (speculative(draft, draft_length=length), speculative_batch(draft, 1, length))
        )
        assert torch.equal(one.sequences, other.sequences)
        assert torch.equal(one.rejected, other.rejected)
        assert 0.1 < one.rejected.double().mean() < 0.9


@pytest.mark.parametrize("law", [plain_law, processed_law])
def test_the_mean_of_rejections_tells_the_numbers_of_drafts_apart(draft: Any, target: Any, law: Law) -> None:
    models = tables(draft, law), tables(target, law)
    means = [expected_rejections_batch(*models, count) for count in (1, 2, 3)]
    assert means[0] - means[1] > 0.14
    assert means[1] > means[2]


@pytest.mark.parametrize(("draft_length", "law", "options"), [(2, plain_law, {}), (3, processed_law, PROCESSED)])
@pytest.mark.parametrize(("make", "law_of"), [(opt_sampler, decoding_opt), (uno_sampler, decoding_uno)])
def test_relaxed_rules_have_their_biased_joint_law(
    draft: Any, target: Any, make: Any, law_of: Any, draft_length: int, law: Law, options: dict[str, Any]
) -> None:
    output = generate(target, speculative(draft, make(0.2), draft_length), **options)
    pairs = zip(tables(draft, law).conditionals, tables(target, law).conditionals, strict=True)
    biased = TabularModel([law_of(p, q, 0.2).output for p, q in pairs]).joint()
    assert not refuted(output.sequences, biased)
    assert refuted(output.sequences, tables(target, law).joint())


def misdeclared(draft: Any, target: Any, drafts: Any, uniforms: Any) -> Selection:
    """The draft law declared without the temperature that it was drawn with."""
    raw = draft**TEMPERATURE
    return single.verify(raw / raw.sum(dim=-1, keepdim=True), target, drafts, uniforms)


def forgetful(draft: Any, target: Any, drafts: Any, uniforms: Any) -> Selection:
    """A failed batch replaced from the residual of one draft."""
    found = recursive.verify(draft, target, drafts, uniforms)
    residual = single.residual_weights(draft, target)
    return Selection(replace_rejected(found.tokens, found.accepted >= 0, residual, uniforms[..., -1]), found.accepted)


def test_defective_rules_are_refuted(draft: Any, target: Any) -> None:
    processed = generate(target, speculative(draft, misdeclared, 2), temperature=TEMPERATURE)
    law = tables(target, warm_law).joint()
    assert refuted(processed.sequences, law)
    batch = with_rule(speculative_batch(draft, 3, 2), verifier=forgetful)
    assert refuted(generate(target, batch).sequences, tables(target, plain_law).joint())


class Recorder:
    """A rule that remembers the laws it was handed."""

    def __init__(self, verifier: SelectionSampler) -> None:
        self.verifier = verifier
        self.laws: list[Array] = []

    def __call__(self, draft: Any, target: Any, drafts: Any, uniforms: Any) -> Selection:
        self.laws += list(torch.cat([draft, target], dim=-1).numpy())
        return self.verifier(draft, target, drafts, uniforms)


PADDED = torch.tensor([[4, 1, 2, 3], [0, 0, 0, 5], [0, 0, 7, 6]])
MASK = torch.tensor([[1, 1, 1, 1], [0, 0, 0, 1], [0, 0, 1, 1]])


def recorded(target: Any, rule: Speculative, **options: Any) -> tuple[list[list[int]], Array]:
    """Three ragged texts of 15 tokens each without their padding, and the laws of every test."""
    recorder = Recorder(recursive.verify)
    rule = with_rule(rule, verifier=recorder)
    torch.manual_seed(2)
    settings = {"do_sample": True, "max_new_tokens": 15, "pad_token_id": 0, **options}
    output = target.generate(PADDED, attention_mask=MASK, custom_generate=rule, **settings)
    kept = torch.cat([MASK, torch.ones(3, 15)], dim=1) > 0
    return [row[own].tolist() for row, own in zip(output, kept, strict=True)], np.array(recorder.laws)


def largest_error(draft: Any, target: Any, law: Law, texts: list[list[int]], laws: Array) -> float:
    """How far the laws expected along the texts are from the nearest that was used."""
    errors = []
    for text, prompt in zip(texts, MASK.sum(dim=1).tolist(), strict=True):
        for end in range(prompt, len(text)):
            expected = np.concatenate([law(module, [text[:end]])[0] for module in (draft, target)])
            errors.append(np.abs(laws - expected).max(axis=-1).min())
    return float(max(errors))


PENALTY = PROCESSED | {"repetition_penalty": 1.5}


@pytest.mark.parametrize("make", [speculative_batch, speculative_sequences])
@pytest.mark.parametrize("num_drafts", [1, 3])
@pytest.mark.parametrize(("law", "options"), [(plain_law, {}), (repelled_law, PENALTY)])
def test_ragged_texts_are_tested_by_the_laws_of_their_own_prefixes(
    draft: Any, target: Any, make: Any, num_drafts: int, law: Law, options: dict[str, Any]
) -> None:
    """Exact up to float32: the caches, the prefixes that processors see, and the padding."""
    texts, laws = recorded(target, make(draft, num_drafts, 4), **options)
    assert len(laws) == 3 * 15, "every position is tested, and no other"
    assert largest_error(draft, target, law, texts, laws) < 1e-5
    other = processed_law if options else repelled_law
    assert largest_error(draft, target, other, texts, laws) > 0.01, "the comparison can fail"


def test_the_law_handed_over_is_the_law_drawn_from(draft: Any, target: Any) -> None:
    """A rule that accepts everything emits the processed draft law."""
    output = generate(target, speculative(draft, opt_sampler(1.0), 3), **PROCESSED)
    assert not output.rejected.any()
    assert output.target_calls.tolist() == [1] * TEXTS
    assert not refuted(output.sequences, tables(draft, processed_law).joint())


@pytest.mark.parametrize("num_drafts", [1, 2])
def test_texts_end_at_end_of_text_and_are_padded(make_llama: Any, draft: Any, num_drafts: int) -> None:
    eos, pad = 2, 0
    ending = make_llama(12, eos=eos)
    output = generate(ending, speculative_batch(draft, num_drafts, 2), pad_token_id=pad)
    cut = tables(ending, plain_law).joint().copy()
    for text in itertools.product(range(V), repeat=T):
        if eos in text[:-1]:
            mass, cut[text] = cut[text], 0.0
            stop = text.index(eos) + 1
            cut[text[:stop] + (pad,) * (T - stop)] += mass
    assert 0.1 < cut[2, 0, 0] + cut[:, 2, 0].sum() < 0.9
    assert not refuted(output.sequences, cut)
    after = torch.cumsum(output.sequences[:, len(PROMPT) :] == eos, dim=1)[:, :-1] > 0
    assert not (output.rejected[:, 1:] & after).any()


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


def test_top_k_of_one_is_greedy_decoding(draft: Any, target: Any) -> None:
    greedy = target.generate(PADDED, attention_mask=MASK, do_sample=False, max_new_tokens=20, pad_token_id=0)
    options = {"do_sample": True, "top_k": 1, "max_new_tokens": 20, "pad_token_id": 0}
    for rule in (speculative(draft), speculative_batch(draft, 3), speculative_sequences(draft, 3), speculative(target)):
        found = target.generate(PADDED, attention_mask=MASK, custom_generate=rule, **options)
        assert torch.equal(found, greedy)


def test_the_model_as_its_own_draft_rejects_nothing(target: Any) -> None:
    output = generate(target, speculative_batch(target, 2, 5), texts=4, max_new_tokens=20)
    assert not output.rejected.any()
    assert output.target_calls.tolist() == [4] * 4


@pytest.mark.parametrize("width", [6, 10])
def test_an_assistant_padded_to_another_width_is_lossless(make_llama: Any, target: Any, width: int) -> None:
    assistant = make_llama(11, vocabulary=width)
    output = generate(target, speculative_batch(assistant, 2, 2))
    assert not refuted(output.sequences, tables(target, plain_law).joint())
    assert (output.sequences[:, len(PROMPT) :] >= 6).any()
    prompt = torch.tensor([[7, 1]])
    assert (
        target.generate(prompt, custom_generate=speculative(assistant), do_sample=True, max_new_tokens=9).shape[1] == 11
    )


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
        (lambda: speculative(draft, "opt"), "verifier is 'opt': give a function"),  # type: ignore[arg-type]
        (lambda: speculative_sequences(draft, 2, verifier=single.verify), "verifier is <function"),  # type: ignore[arg-type]
        (lambda: speculative(bloom), "the assistant is a BloomForCausalLM"),
    ]
    for make, message in cases:
        with pytest.raises(InvalidInput, match=message):
            make()
