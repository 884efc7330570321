"""transformers: the drafts of a Gemma 4 assistant, ``SinglePositionMultiTokenCandidateGenerator``, and their test."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from transformers import GenerationConfig
from transformers.generation.candidate_generator import SinglePositionMultiTokenCandidateGenerator
from transformers.generation.utils import _speculative_sampling

from audit.models import START, TabularLogits
from audit.randomness import seeded
from specproof.conformance.problems import Tokens
from specproof.theory.chain import TabularModel

DRAFTS = 2


class Gemma4AssistantTable:
    """A tabular model as the generator calls the assistant; the class is known by the beginning of its name.

    What is handed to it as the last hidden state is the text so far, and what it hands back is the text with the token
    that came with it.
    """

    device = torch.device("cpu")
    generation_config = SimpleNamespace(num_assistant_tokens=DRAFTS)

    def __init__(self, model: TabularModel) -> None:
        self._logits = TabularLogits(model)

    def __call__(self, *, inputs_embeds: torch.Tensor, **_: Any) -> SimpleNamespace:
        """Logits (1, 1, V) after a text, whose last token comes first in the input and its others after it."""
        text = inputs_embeds.roll(-1, dims=-1)
        return SimpleNamespace(logits=self._logits(text[0])[:, -1:], last_hidden_state=text)


def generate(
    draft_model: TabularModel,
    target_model: TabularModel,
    prompt: tuple[int, ...],
    length: int,
    n: int,
    rng: np.random.Generator,
) -> Tokens:
    """Contract generate, one text a call, with the steps of ``_assisted_decoding`` that concern drafts.

    The first token is the target's own, since the generator passes its first turn.
    """
    assistant, target = Gemma4AssistantTable(draft_model), TabularLogits(target_model)
    texts = np.empty((n, length), dtype=np.int64)
    with seeded(rng):
        for text in texts:
            ids = _text(assistant, target, torch.tensor([[START, *prompt]]), length)
            text[:] = ids[0, len(prompt) + 1 :][:length].numpy()
    return texts


def _text(assistant: Gemma4AssistantTable, target: TabularLogits, ids: torch.Tensor, length: int) -> torch.Tensor:
    end = ids.shape[1] + length
    config = GenerationConfig(max_length=end + DRAFTS + 1)  # room for a last round that is whole
    generator = SinglePositionMultiTokenCandidateGenerator(assistant, lambda token: token[..., None], config)
    outputs, matches, is_first = None, 0, True
    while ids.shape[1] < end:
        drafted, draft_logits = generator.get_candidates(
            ids, model_kwargs={}, model_outputs=outputs, is_first_iteration=is_first, n_last_matches=matches
        )
        drafts = drafted.shape[1] - ids.shape[1]
        laws = target(drafted)[:, ids.shape[1] - 1 :]
        if draft_logits is None:
            token, matches = torch.multinomial(laws[0, -1].softmax(-1), 1)[None], 0
        else:
            token, matches = _speculative_sampling(drafted, draft_logits, drafts, laws)
        ids = torch.cat([ids, token], dim=1)
        # The generator picks the hidden state at the last validated token: here each is the text before it.
        states = ids[:, None, :-1].expand(1, drafts + 1, -1)
        outputs, is_first = SimpleNamespace(hidden_states=[states], shared_kv_states={}), False
    return ids
