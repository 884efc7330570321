"""Rules that decide a whole call at once, in the decoding loop and in ``generate``: the target's joint law."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from enumerated_texts import PROMPTS, TEXTS, T, V, any_refuted, decode_texts, joint_law, refuted

from specproof.simulations.language_models.block_rule import BlockVerification
from specproof.simulations.language_models.decoding import speculative_decode
from specproof.simulations.language_models.layer_rule import PriorityLayerVerification
from specproof.transformers import speculative

LAWFUL = [
    pytest.param(BlockVerification(), 1, marks=pytest.mark.slow),
    (BlockVerification(), 2),
    (BlockVerification(bonus=False), 3),
    pytest.param(PriorityLayerVerification(3), 1, marks=pytest.mark.slow),
    (PriorityLayerVerification(2), 2),
    pytest.param(PriorityLayerVerification(2, bonus=False), 3, marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("rule", "draft_length"), LAWFUL)
def test_three_tokens_follow_the_targets_joint_law(pair: Any, rule: Any, draft_length: int) -> None:
    run = decode_texts(pair, rule, draft_length)
    assert run.tokens.min() >= 0
    assert not any_refuted(pair, run)
    whole = run.round_accepted == draft_length
    np.testing.assert_array_equal(run.round_emitted, run.round_accepted + np.where(whole & (not rule.bonus), 0, 1))
    assert set(run.round_accepted) == set(range(draft_length + 1))
    assert run.rejected.size == 0


@pytest.mark.parametrize("rule", [BlockVerification(), PriorityLayerVerification(3)])
def test_a_model_that_drafts_for_itself_is_kept_whole(pair: Any, rule: Any) -> None:
    same = type(pair)("same", pair.target, pair.target, None)
    run = speculative_decode(same, PROMPTS, 9, 2, rule, np.random.default_rng(3))
    assert run.target_calls.tolist() == [3, 3]


@pytest.mark.parametrize("draft_length", [1, 4])
@pytest.mark.parametrize("rule", [BlockVerification(), PriorityLayerVerification(2)])
def test_texts_end_with_their_end_of_text_token(make_pair: Any, rule: Any, draft_length: int) -> None:
    rng = np.random.default_rng(2)
    run = speculative_decode(make_pair(eos=2), PROMPTS * 50, 20, draft_length, rule, rng)
    for row in run.tokens:
        ended = np.flatnonzero(row == 2)
        length = ended[0] + 1 if len(ended) else len(row)
        assert (row[:length] >= 0).all()
        assert (row[length:] == -1).all()
    assert (run.tokens == 2).any()
    assert (run.tokens[:, -1] >= 0).any()


@pytest.mark.parametrize(("name", "drafts"), [("block", {}), ("priority-layer", {"num_drafts": 3})])
def test_inside_generate_it_follows_the_joint_law_and_counts_replacements(
    pair: Any, name: str, drafts: dict[str, int]
) -> None:
    torch.manual_seed(1)
    output = pair.target.module.generate(
        torch.tensor([PROMPTS[0]] * TEXTS),
        custom_generate=speculative(pair.draft.module, name, draft_length=2, **drafts),
        do_sample=True,
        top_k=0,
        max_new_tokens=T,
        return_dict_in_generate=True,
    )
    tokens = output.sequences[:, len(PROMPTS[0]) :].numpy()
    assert not refuted(tokens, joint_law(pair.target, 0))
    assert output.rejected.shape == tokens.shape
    assert 0.1 < output.rejected.float().mean() < 0.9
    assert tokens.max() < V
