"""Cheap drafts of the real target: acceptances less their exact chances are a martingale, and broken rules are refuted.

Token by token the chance of a rejection is the total variation distance at the position; of a block it follows from the
text that came out. Where the draft is certain that text tells all that was accepted, whatever the rule, so that blocks
of looked-up tokens are not tested like this. The weights have to be on this machine already.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from specproof.simulations.claims.real import block_efficiency  # noqa: E402
from specproof.simulations.claims.real.prompt_groups import PromptGroup, prepare  # noqa: E402
from specproof.simulations.experiments.cell import CellContext  # noqa: E402
from specproof.simulations.language_models import block_rule  # noqa: E402
from specproof.simulations.language_models.decoding import speculative_decode  # noqa: E402
from specproof.simulations.language_models.level_by_level import LevelByLevel  # noqa: E402
from specproof.simulations.language_models.weights import smollm2_is_cached  # noqa: E402
from specproof.simulations.samplers import single  # noqa: E402
from specproof.simulations.samplers.inversion import invert  # noqa: E402
from specproof.simulations.samplers.selection import Selection, SelectionSampler  # noqa: E402
from specproof.simulations.statistics import Check, check_drift  # noqa: E402

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("smollm2"),
    pytest.mark.skipif(not smollm2_is_cached(), reason="the weights of SmolLM2 are not on this machine"),
]

LEVEL, HORIZON, LENGTH = 1e-6, 16, 3
TEXTS = (
    "One, two, three, one, two,",
    "The cat sat on the mat, and the dog",
    "In the beginning",
    "a b a b a b a",
    "Yes. No.",
)


def group(pair: str) -> PromptGroup:
    prompts = [{"id": str(number), "text": text, "kind": "", "chat": False} for number, text in enumerate(TEXTS)]
    return {"pair": pair, "device": "cpu", "first": 0, "prompts": prompts}


def keep_all(draft: Any, target: Any, drafts: Any, uniforms: Any) -> Selection:
    return Selection(drafts[..., 0], torch.zeros_like(drafts[..., 0]))


def keep_none(draft: Any, target: Any, drafts: Any, uniforms: Any) -> Selection:
    return Selection(invert(target, uniforms[..., 0]), torch.full_like(drafts[..., 0], -1))


def token_by_token(pair: str, sampler: SelectionSampler) -> Check:
    """Decode with every position tested."""
    models, encoded = prepare(group(pair))
    rule, rng = LevelByLevel(sampler, bonus=False), np.random.default_rng(5)
    run = speculative_decode(models, encoded, HORIZON, LENGTH, rule, rng)
    assert len(run.rejected) == (run.tokens >= 0).sum()
    return check_drift(run.rejected, run.tv, LEVEL)


def by_blocks(pair: str) -> Check:
    context = CellContext(np.random.default_rng(5), LEVEL)
    levels = pd.DataFrame(block_efficiency.decode(context, group(pair), HORIZON, "block").tables["levels"])
    return check_drift(levels["accepted"].to_numpy(dtype=bool), levels["chance"].to_numpy(), LEVEL)


@pytest.mark.parametrize(("pair", "least", "most"), [("int8", 0.0, 0.15), ("ngram:3", 0.5, 1.0)])
def test_rejections_are_as_frequent_as_the_distance_says(pair: str, least: float, most: float) -> None:
    check = token_by_token(pair, single.verify)
    assert not check.is_refuted
    assert least < check.exact < most


@pytest.mark.parametrize(("pair", "broken"), [("int8", keep_none), ("ngram:3", keep_all)])
def test_a_rule_that_does_not_look_at_the_draft_is_refuted(pair: str, broken: SelectionSampler) -> None:
    assert token_by_token(pair, broken).is_refuted


def test_blocks_are_kept_as_the_text_says() -> None:
    check = by_blocks("int8")
    assert not check.is_refuted
    assert check.trials > 30


def test_blocks_of_which_nothing_is_kept_are_refuted(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(weights: Any, masses: Any, uniforms: Any) -> Any:
        return torch.zeros_like(weights[..., 0], dtype=torch.int64)

    monkeypatch.setattr(block_rule, "accepted_length", nothing)
    assert by_blocks("int8").is_refuted
