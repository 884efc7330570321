"""The draft by prompt lookup: what it continues with, its state, and that decoding with it is the target's.

The statistical test: level 1e-8 for each prompt, 10,000 texts of three tokens, a fixed seed; a deviation of 0.04 in the
probability of any of the 512 texts is seen with probability 0.99.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from enumerated_texts import PROMPTS, TEXTS, T, joint_law, refuted

from specproof.simulations.language_models.decoding import speculative_decode
from specproof.simulations.language_models.level_by_level import LevelByLevel
from specproof.simulations.language_models.model import start
from specproof.simulations.language_models.model_pair import ModelPair
from specproof.simulations.language_models.ngram import NGramModel, continuation
from specproof.simulations.samplers.selection import Selection

PAIRS = [[1, 2, 3, 1, 2], [5]]
"""Of the first prompt the last two tokens stood there before; the second has nothing to look up."""


@pytest.mark.parametrize(
    ("text", "longest", "found"),
    [
        ([], 3, []),
        ([4], 3, []),
        ([4, 4], 3, [4]),
        ([1, 2, 1, 3, 1], 3, [3]),  # the latest place of the longest match
        ([1, 2, 7, 3, 2, 8, 1, 2], 3, [7]),  # two tokens match further back than one
        ([1, 2, 7, 3, 2, 8, 1, 2], 1, [8]),
        ([1, 1, 1, 1], 3, [1]),
    ],
)
def test_the_longest_match_is_continued_at_its_latest_place(text: list[int], longest: int, found: list[int]) -> None:
    assert continuation(text, longest) == found


def masses(model: NGramModel, logits: torch.Tensor) -> list[list[int]]:
    law = model.law(logits)
    assert law.dtype == torch.float64
    assert (law.sum(dim=-1) == 1).all()
    assert (law.amax(dim=-1) == 1).all()
    tokens: list[list[int]] = law.argmax(dim=-1).tolist()
    return tokens


def test_texts_are_read_taken_back_and_selected() -> None:
    model = NGramModel(8, "cpu", longest=2)
    texts, pending = start(model, PAIRS)
    assert pending.tolist() == [2, 5]
    one = torch.ones((2, 1), dtype=torch.bool)
    assert texts.worth_drafting(4, pending[:, None], one) == 4
    assert masses(model, texts.append(pending[:, None], one)) == [[3], [5]]
    assert masses(model, texts.append(torch.tensor([[3, 1], [0, 6]]), torch.tensor([[True] * 2, [False, True]]))) == [
        [1, 2],
        [5, 6],
    ]
    texts.forget(torch.tensor([2, 1]))
    assert masses(model, texts.append(torch.tensor([[3], [5]]), one, last=1)) == [[1], [5]]
    texts.select(torch.tensor([1, 1]))
    texts.append(torch.tensor([[6], [7]]), one)
    assert masses(model, texts.append(torch.tensor([[5], [7]]), one)) == [[6], [7]]
    assert texts.worth_drafting(4, torch.tensor([[3], [2]]), one) == 0


def ngram_pair(pair: Any) -> ModelPair:
    return ModelPair("ngram", NGramModel(8, "cpu"), pair.target, None)


@pytest.mark.parametrize(("draft_length", "bonus"), [(1, False), pytest.param(3, True, marks=pytest.mark.slow)])
def test_texts_follow_the_targets_joint_law(pair: Any, draft_length: int, bonus: bool) -> None:
    rule, rng = LevelByLevel(bonus=bonus), np.random.default_rng(7)
    run = speculative_decode(ngram_pair(pair), PROMPTS * TEXTS, T, draft_length, rule, rng)
    for index in (0, 1):
        assert not refuted(run.tokens[index :: len(PROMPTS)], joint_law(pair.target, index))
    assert 0.5 < run.rejected.mean() < 0.99


def test_a_point_mass_that_is_kept_whatever_the_target_says_is_refuted(pair: Any) -> None:
    def keep(draft: Any, target: Any, drafts: Any, uniforms: Any) -> Selection:
        return Selection(drafts[..., 0], torch.zeros_like(drafts[..., 0]))

    rng = np.random.default_rng(7)
    run = speculative_decode(ngram_pair(pair), PROMPTS * TEXTS, T, 1, LevelByLevel(keep), rng)
    assert refuted(run.tokens[:: len(PROMPTS)], joint_law(pair.target, 0))


def test_rounds_without_a_match_draft_nothing_and_long_texts_stay_right(pair: Any) -> None:
    """From the same uniforms and rounds of no draft, the texts are the target's own."""
    longest = NGramModel(8, "cpu", longest=3)
    found = ModelPair("ngram", longest, pair.target, None)
    run = speculative_decode(found, [[1]], 40, 3, LevelByLevel(), np.random.default_rng(2))
    assert run.round_tested[0] == 0
    assert run.round_tested.max() > 1
    assert run.round_accepted.max() > 0
    text = [1, *run.tokens[0].tolist()]
    for position, drafted, level in zip(run.position, run.drafted, run.level, strict=True):
        if level == 0:
            assert [drafted] == continuation(text[: position + 1], 3)
