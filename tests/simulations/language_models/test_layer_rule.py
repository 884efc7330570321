"""Priority layer verification in the decoding loop: more is kept, and a wrong draft is seen."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from enumerated_texts import V, any_refuted, decode_texts, first_accepted

from specproof import InvalidInput
from specproof.simulations.language_models import layer_rule
from specproof.simulations.language_models.block_rule import BlockVerification
from specproof.simulations.language_models.layer_rule import PriorityLayerVerification
from specproof.simulations.language_models.level_by_level import LevelByLevel
from specproof.simulations.samplers import SAMPLERS
from specproof.simulations.samplers.priority_layers import verify
from specproof.transformers import speculative


def test_another_draft_than_was_drawn_from_is_refuted(pair: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def mistaken(draft: Any, *others: Any) -> Any:
        return verify(np.full_like(draft, 1 / V), *others)

    monkeypatch.setattr(layer_rule, "verify", mistaken)
    assert any_refuted(pair, decode_texts(pair, PriorityLayerVerification(2), 2))


@pytest.mark.slow
def test_one_sequence_is_kept_as_block_verification_keeps_it(pair: Any) -> None:
    """The means over 20,000 first rounds, with standard errors below 0.01."""
    rules = PriorityLayerVerification(1), BlockVerification()
    ours, block = (first_accepted(decode_texts(pair, rule, 3)) for rule in rules)
    assert abs(ours - block) < 0.05


@pytest.mark.slow
def test_more_is_kept_than_level_by_level(pair: Any) -> None:
    """The means over 20,000 first rounds, with standard errors below 0.01."""
    rules = PriorityLayerVerification(2), LevelByLevel(SAMPLERS["priority"], 2)
    ours, levels = (first_accepted(decode_texts(pair, rule, 3)) for rule in rules)
    assert ours > levels + 0.02


def test_what_does_not_fit(pair: Any) -> None:
    assistant = pair.draft.module
    with pytest.raises(InvalidInput, match="num_drafts is not given: say how many sequences"):
        speculative(assistant, "priority-layer")
    with pytest.raises(InvalidInput, match="num_drafts is 0"):
        speculative(assistant, "priority-layer", num_drafts=0)
    with pytest.raises(InvalidInput, match="num_drafts is 3, and this verifier drafts one sequence"):
        speculative(assistant, "block", num_drafts=3)
