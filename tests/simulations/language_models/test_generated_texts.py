"""What our rules inside ``generate`` of transformers models emit has its exact law; broken controls are refuted."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch
from generated_laws import (
    FILTERED,
    PROCESSED,
    PROMPT,
    TEMPERATURE,
    TEXTS,
    Law,
    T,
    V,
    assert_mean_rejections,
    filtered_law,
    generate,
    plain_law,
    processed_law,
    refuted,
    tables,
    warm_law,
    with_rule,
)

from specproof.simulations.samplers import SAMPLERS, recursive, single
from specproof.simulations.samplers.selection import Selection, replace_rejected
from specproof.theory.chain import TabularModel
from specproof.theory.rejections import expected_rejections_batch
from specproof.theory.relaxed import decoding_opt, decoding_uno
from specproof.transformers import opt_sampler, speculative, speculative_batch, speculative_sequences, uno_sampler


@pytest.mark.parametrize(
    ("draft_length", "law", "options"), [(1, plain_law, {}), (2, processed_law, PROCESSED), (3, filtered_law, FILTERED)]
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
        pytest.param(2, 3, processed_law, PROCESSED, marks=pytest.mark.slow),
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


@pytest.mark.parametrize(
    "verifier", ["priority", *(pytest.param(it, marks=pytest.mark.slow) for it in SAMPLERS if it != "priority")]
)
def test_draft_sequences_are_lossless_by_any_verifier(draft: Any, target: Any, verifier: str) -> None:
    output = generate(target, speculative_sequences(draft, 3, 2, verifier), **PROCESSED)
    assert not refuted(output.sequences, tables(target, processed_law).joint())
    assert 0.1 < output.rejected.double().mean() < 0.9


@pytest.mark.slow
def test_more_draft_sequences_need_fewer_calls(draft: Any, target: Any) -> None:
    """Means over 2,000 texts, far apart: 6.6 standard errors of the nearer two at the least."""
    calls = [
        generate(target, speculative_sequences(draft, count, 4), texts=2000, max_new_tokens=12).target_calls.double()
        for count in (1, 2, 4)
    ]
    means, error = [float(part.mean()) for part in calls], float(calls[0].std()) / 2000**0.5
    assert means[0] > means[1] + 6 * error
    assert means[1] > means[2] + 6 * error


def test_draft_sequences_that_disagree_kept_alive_are_refuted(draft: Any, target: Any) -> None:
    def revive(alive: torch.Tensor, drafts: torch.Tensor, selection: Selection) -> torch.Tensor:
        return alive & (selection.accepted >= 0)[:, None]

    output = generate(target, with_rule(speculative_sequences(draft, 3, 3), survivors=revive))
    assert refuted(output.sequences, tables(target, plain_law).joint())


@pytest.mark.slow
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


@pytest.mark.parametrize(
    ("draft_length", "law", "options"),
    [pytest.param(2, plain_law, {}, marks=pytest.mark.slow), (3, processed_law, PROCESSED)],
)
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


def test_the_law_handed_over_is_the_law_drawn_from(draft: Any, target: Any) -> None:
    """A rule that accepts everything emits the processed draft law."""
    output = generate(target, speculative(draft, opt_sampler(1.0), 3), **PROCESSED)
    assert not output.rejected.any()
    assert output.target_calls.tolist() == [1] * TEXTS
    assert not refuted(output.sequences, tables(draft, processed_law).joint())


@pytest.mark.parametrize("num_drafts", [pytest.param(1, marks=pytest.mark.slow), 2])
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


def test_the_model_as_its_own_draft_rejects_nothing(target: Any) -> None:
    output = generate(target, speculative_batch(target, 2, 5), texts=4, max_new_tokens=20)
    assert not output.rejected.any()
    assert output.target_calls.tolist() == [4] * 4


@pytest.mark.parametrize("width", [pytest.param(6, marks=pytest.mark.slow), 10])
def test_an_assistant_padded_to_another_width_is_lossless(make_llama: Any, target: Any, width: int) -> None:
    assistant = make_llama(11, vocabulary=width)
    output = generate(target, speculative_batch(assistant, 2, 2))
    assert not refuted(output.sequences, tables(target, plain_law).joint())
    assert (output.sequences[:, len(PROMPT) :] >= 6).any()
    prompt = torch.tensor([[7, 1]])
    assert (
        target.generate(prompt, custom_generate=speculative(assistant), do_sample=True, max_new_tokens=9).shape[1] == 11
    )
