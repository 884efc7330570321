"""Speculative decoding with a pair of language models, recorded: what the experiments run."""

from __future__ import annotations

import numpy as np
import torch

from specproof.simulations.language_models.decoding_loop import Decoding
from specproof.simulations.language_models.decoding_run import DecodingRun, Measure, Recorder
from specproof.simulations.language_models.model_pair import ModelPair
from specproof.simulations.language_models.prefixes import from_logits
from specproof.simulations.language_models.round_rule import RoundRule
from specproof.simulations.language_models.stopwatch import Stopwatch
from specproof.simulations.language_models.texts import Prompts, Texts, check_request, ends_text
from specproof.simulations.language_models.uniforms import from_numpy
from specproof.theory.errors import InvalidInput


@torch.inference_mode()
def speculative_decode(
    pair: ModelPair,
    prompts: Prompts,
    horizon: int,
    draft_length: int,
    rule: RoundRule,
    rng: np.random.Generator,
    *,
    measure: Measure | None = None,
    whole_rounds: bool = False,
) -> DecodingRun:
    """Decode by rounds: draft some tokens, have the target look at all of them at once, keep what the rule accepts.

    Uniform numbers come from ``rng``, the same on every device; distributions are float64 softmaxes of float32 logits.

    Parameters
    ----------
    pair : ModelPair
    prompts : list of lists of int
    horizon : int
        A text stops after this many tokens, or after the target's end-of-text token.
    draft_length : int
        Tokens drafted in a round, L >= 0; fewer where the horizon is nearer. With 0 there is nothing to verify: the
        target decodes alone, one bonus token a round.
    rule : RoundRule
        What is drafted and emitted in a round, such as
        :class:`specproof.simulations.language_models.level_by_level.LevelByLevel`.
    rng : numpy Generator
    measure : callable, optional
        Is shown every test, given the text emitted so far, as the run goes: a large vocabulary leaves no room to keep
        their distributions.
    whole_rounds : bool
        Draft every round whole, also where the horizon is nearer, and stop a text with the round that reaches it: so
        all rounds of a run are alike, and their mean is not biased by the last one.

    Raises
    ------
    InvalidInput
        If there are no prompts, one is empty, the horizon is below 1, the draft length is below 0 (or below 1 without a
        bonus token), or a model's context is too short.
    """
    if draft_length < 0 or (draft_length == 0 and not rule.bonus):
        remedy = "draft some tokens a round, or 0 for the target alone" if rule.bonus else "draft at least one a round"
        raise InvalidInput(f"draft_length is {draft_length}: {remedy}")
    # The worst round emits one token, and may start with a column for the drafted token that is behind.
    check_request(prompts, horizon, (pair.draft, pair.target), draft_length, columns_per_token=draft_length + 2)
    room = horizon + draft_length if whole_rounds else horizon
    tokens = torch.full((len(prompts), room), -1, dtype=torch.int64, device=pair.target.device)
    texts = Texts(tokens, 0, horizon, lambda _, last: ends_text(last, pair.target), whole_rounds)
    watch = Stopwatch(pair.target.device)
    recorder = Recorder(texts, watch, measure)
    decoding = Decoding(
        pair.draft,
        pair.target,
        prompts,
        texts=texts,
        rule=rule,
        distributions=from_logits,
        uniforms=from_numpy(rng, pair.target.device),
        observer=recorder,
        watch=watch,
    )
    decoding.run(draft_length)
    return recorder.finish()
