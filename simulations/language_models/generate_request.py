"""What ``generate`` may be asked for when a rule of ours decodes: everything else is refused in one line."""

from __future__ import annotations

from typing import Any

import torch
from transformers.generation import (
    MaxLengthCriteria,
    SynthIDTextWatermarkLogitsProcessor,
    UnbatchedClassifierFreeGuidanceLogitsProcessor,
)

from specproof.simulations.language_models.model import LanguageModel, check_decodable
from specproof.simulations.language_models.texts import Prompts
from specproof.theory.errors import InvalidInput

STATEFUL_PROCESSORS = (UnbatchedClassifierFreeGuidanceLogitsProcessor, SynthIDTextWatermarkLogitsProcessor)
"""They count their calls as positions, which is wrong once a text is taken back."""

KNOWN_INPUTS = {"attention_mask", "position_ids", "past_key_values", "use_cache", "logits_to_keep"}
"""What ``generate`` hands on for a model of text; the positions follow from the mask, and the cache is our own."""

OWN_CACHES = (None, "dynamic")
"""Values of ``cache_implementation`` that say what our cache is."""


def check_assistant(assistant: Any) -> None:
    """Refuse an assistant that is no loaded model, or whose cache cannot take tokens back.

    Raises
    ------
    InvalidInput
    """
    if not isinstance(assistant, torch.nn.Module):
        raise InvalidInput(
            f"assistant is {assistant!r}: give a loaded transformers model, such as from_pretrained makes"
        )
    check_decodable(assistant, "the assistant")


def check_generate(
    model: Any, assistant: Any, texts: int, processors: Any, criteria: Any, config: Any, inputs: dict[str, Any]
) -> None:
    """Refuse what a rule cannot do, before anything is decoded.

    Parameters
    ----------
    model, assistant : transformers models
    texts : int
        How many there are to continue.
    processors, criteria, config, inputs
        What ``generate`` prepared: ``logits_processor``, ``stopping_criteria``, ``generation_config`` and the rest.

    Raises
    ------
    InvalidInput
        Naming the argument of ``generate`` that has to go, or what is missing.
    """
    check_decodable(model, "the model")
    if model.device != assistant.device:
        raise InvalidInput(f"the model is on {model.device} and the assistant on {assistant.device}: move one of them")
    _check_inputs(inputs)
    _check_settings(config)
    for processor in processors:
        if isinstance(processor, STATEFUL_PROCESSORS):
            raise InvalidInput(f"{type(processor).__name__} cannot take back rejected tokens: leave it out")
    stops_early = not all(isinstance(criterion, MaxLengthCriteria) for criterion in criteria)
    if config._pad_token_tensor is None and stops_early and texts > 1:
        raise InvalidInput("pad_token_id is not set, and texts may end at different lengths: pass pad_token_id")


def check_room(models: tuple[LanguageModel, ...], prompts: Prompts, room: int, draft_length: int) -> None:
    """Refuse a prompt without tokens, or one that is too long for ``room`` more of them.

    Raises
    ------
    InvalidInput
    """
    for index, prompt in enumerate(prompts):
        if not prompt:
            raise InvalidInput(f"input_ids[{index}] has no tokens: give it at least the beginning-of-text token")
    longest = max(map(len, prompts))
    # A text near its end drafts as many as the others do. The worst round emits one token.
    overhang = draft_length if len(prompts) > 1 else 0
    for model in models:
        model.require_room(longest + room + overhang, longest + room * draft_length)


def _check_inputs(inputs: dict[str, Any]) -> None:
    for name, value in inputs.items():
        if name not in KNOWN_INPUTS and value is not None:
            raise InvalidInput(f"{name} was given: speculative decoding takes a text alone, leave it out")
    cache = inputs.get("past_key_values")
    if cache is not None and cache.get_seq_length() > 0:
        raise InvalidInput("past_key_values holds a text already: speculative decoding starts with the whole prompt")


def _check_settings(config: Any) -> None:
    if not config.do_sample:
        raise InvalidInput("do_sample is False: pass do_sample=True, for greedy decoding together with top_k=1")
    if config.num_beams is not None and config.num_beams > 1:
        raise InvalidInput(f"num_beams is {config.num_beams}: speculative decoding samples, leave the beams out")
    for name in ("output_scores", "output_logits", "output_attentions", "output_hidden_states"):
        if getattr(config, name):
            raise InvalidInput(f"{name} is True: speculative decoding does not keep these, leave it out")
    if config.cache_implementation not in OWN_CACHES:
        raise InvalidInput(
            f"cache_implementation is {config.cache_implementation!r}: speculative decoding has a dynamic cache of its "
            "own, leave it out"
        )
    for name in ("prompt_lookup_num_tokens", "assistant_early_exit"):
        if getattr(config, name) is not None:
            raise InvalidInput(f"{name} is {getattr(config, name)!r}: the drafts are the assistant's, leave it out")
