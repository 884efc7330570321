"""Priority layer verification in the decoding loop and inside ``generate``: the target's joint law, in fewer calls."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from enumerated_texts import PROMPTS, TEXTS, T, V, joint_law, refuted

from specproof import InvalidInput
from specproof.simulations.language_models import layer_rule
from specproof.simulations.language_models.block_rule import BlockVerification
from specproof.simulations.language_models.decoding import speculative_decode
from specproof.simulations.language_models.decoding_run import DecodingRun
from specproof.simulations.language_models.layer_rule import PriorityLayerVerification
from specproof.simulations.language_models.level_by_level import LevelByLevel
from specproof.simulations.samplers import SAMPLERS
from specproof.simulations.samplers.priority_layers import verify
from specproof.transformers import speculative


def decode(pair: Any, rule: Any, draft_length: int, texts: int = TEXTS, seed: int = 7) -> DecodingRun:
    rng = np.random.default_rng(seed)
    return speculative_decode(pair, PROMPTS * texts, T, draft_length, rule, rng, whole_rounds=True)


def any_refuted(pair: Any, run: DecodingRun) -> bool:
    return any(refuted(run.tokens[index :: len(PROMPTS)], joint_law(pair.target, index)) for index in (0, 1))


@pytest.mark.parametrize(("draft_length", "count", "bonus"), [(1, 3, True), (2, 2, True), (3, 2, False)])
def test_three_tokens_follow_the_targets_joint_law(pair: Any, draft_length: int, count: int, bonus: bool) -> None:
    run = decode(pair, PriorityLayerVerification(count, bonus), draft_length)
    assert run.tokens.min() >= 0
    assert not any_refuted(pair, run)
    whole = run.round_accepted == draft_length
    np.testing.assert_array_equal(run.round_emitted, run.round_accepted + np.where(whole & (not bonus), 0, 1))
    assert set(run.round_accepted) == set(range(draft_length + 1))
    assert run.rejected.size == 0


def test_another_draft_than_was_drawn_from_is_refuted(pair: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def mistaken(draft: Any, target: Any, drafts: Any, uniforms: Any, tree: Any) -> Any:
        return verify(np.full_like(draft, 1 / V), target, drafts, uniforms, tree)

    monkeypatch.setattr(layer_rule, "verify", mistaken)
    assert any_refuted(pair, decode(pair, PriorityLayerVerification(2), 2))


def test_one_sequence_is_kept_as_block_verification_keeps_it(pair: Any) -> None:
    """The means over 20,000 first rounds, with standard errors below 0.01."""
    ours, block = (
        run.round_accepted[: len(PROMPTS) * TEXTS].mean()
        for run in (decode(pair, rule, 3) for rule in (PriorityLayerVerification(1), BlockVerification()))
    )
    assert abs(ours - block) < 0.05


def test_more_is_kept_than_level_by_level(pair: Any) -> None:
    """The means over 20,000 first rounds, with standard errors below 0.01."""
    ours, levels = (
        run.round_accepted[: len(PROMPTS) * TEXTS].mean()
        for run in (
            decode(pair, rule, 3) for rule in (PriorityLayerVerification(2), LevelByLevel(SAMPLERS["priority"], 2))
        )
    )
    assert ours > levels + 0.02


def test_a_model_that_drafts_for_itself_is_kept_whole(pair: Any) -> None:
    same = type(pair)("same", pair.target, pair.target, None)
    run = speculative_decode(same, PROMPTS, 9, 2, PriorityLayerVerification(3), np.random.default_rng(3))
    assert run.target_calls.tolist() == [3, 3]


@pytest.mark.parametrize("draft_length", [1, 4])
def test_texts_end_with_their_end_of_text_token(make_pair: Any, draft_length: int) -> None:
    rng = np.random.default_rng(2)
    run = speculative_decode(make_pair(eos=2), PROMPTS * 50, 20, draft_length, PriorityLayerVerification(2), rng)
    for row in run.tokens:
        ended = np.flatnonzero(row == 2)
        length = ended[0] + 1 if len(ended) else len(row)
        assert (row[:length] >= 0).all()
        assert (row[length:] == -1).all()
    assert (run.tokens == 2).any()
    assert (run.tokens[:, -1] >= 0).any()


def test_inside_generate_it_follows_the_joint_law_and_counts_replacements(pair: Any) -> None:
    torch.manual_seed(1)
    output = pair.target.module.generate(
        torch.tensor([PROMPTS[0]] * TEXTS),
        custom_generate=speculative(pair.draft.module, "priority-layer", draft_length=2, num_drafts=3),
        do_sample=True,
        top_k=0,
        max_new_tokens=T,
        return_dict_in_generate=True,
    )
    tokens = output.sequences[:, len(PROMPTS[0]) :].numpy()
    assert not refuted(tokens, joint_law(pair.target, 0))
    assert output.rejected.shape == tokens.shape
    assert tokens.max() < V


def test_what_does_not_fit(pair: Any) -> None:
    assistant = pair.draft.module
    with pytest.raises(InvalidInput, match="num_drafts is not given: say how many sequences"):
        speculative(assistant, "priority-layer")
    with pytest.raises(InvalidInput, match="num_drafts is 0"):
        speculative(assistant, "priority-layer", num_drafts=0)
    with pytest.raises(InvalidInput, match="num_drafts is 3, and this verifier drafts one sequence"):
        speculative(assistant, "block", num_drafts=3)
