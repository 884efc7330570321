"""Ragged texts in ``generate``: every law that a rule was handed is that of the text before it, without a cache."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from generated_laws import (
    FILTERED,
    PROCESSED,
    Array,
    Law,
    filtered_law,
    plain_law,
    processed_law,
    repelled_law,
    with_rule,
)

from specproof.simulations.language_models.custom_generate import Speculative
from specproof.simulations.samplers import recursive
from specproof.simulations.samplers.selection import Selection, SelectionSampler
from specproof.transformers import speculative, speculative_batch, speculative_sequences


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
@pytest.mark.parametrize("num_drafts", [pytest.param(1, marks=pytest.mark.slow), 3])
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


@pytest.mark.slow
def test_the_laws_have_gone_through_every_filter(draft: Any, target: Any) -> None:
    """Temperature, top-k, top-p and min-p of transformers are those of the exact law, and each of them shows."""
    texts, laws = recorded(target, speculative_batch(draft, 2, 4), **FILTERED)
    assert largest_error(draft, target, filtered_law, texts, laws) < 1e-5
    for name in FILTERED:
        assert largest_error(draft, target, partial(filtered_law, without=name), texts, laws) > 0.01


def test_top_k_of_one_is_greedy_decoding(draft: Any, target: Any) -> None:
    greedy = target.generate(PADDED, attention_mask=MASK, do_sample=False, max_new_tokens=20, pad_token_id=0)
    options = {"do_sample": True, "top_k": 1, "max_new_tokens": 20, "pad_token_id": 0}
    for rule in (speculative(draft), speculative_batch(draft, 3), speculative_sequences(draft, 3), speculative(target)):
        found = target.generate(PADDED, attention_mask=MASK, custom_generate=rule, **options)
        assert torch.equal(found, greedy)
