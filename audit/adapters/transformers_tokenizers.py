"""transformers: ``generate`` with an assistant that has another tokenizer, and drafts that are drawn."""

from __future__ import annotations

import string
from collections.abc import Sequence

import numpy as np
import torch
from tokenizers import Regex, Tokenizer, models, pre_tokenizers
from transformers import GenerationConfig, PreTrainedTokenizerFast

from audit.adapters.transformers_generate import llama
from audit.prefixes import logits_after
from audit.randomness import seeded
from specproof.conformance.problems import Tokens
from specproof.simulations.language_models.quiet import quiet_transformers
from specproof.theory.chain import TabularModel

LETTERS = string.ascii_letters
"""The target's token 0 is written as the first of these, and each further one as the next."""


class OwnVocabulary(PreTrainedTokenizerFast):  # type: ignore[misc]
    """A tokenizer whose tokens are these letters, in the order of their ids."""

    def __init__(self, letters: Sequence[str]) -> None:
        words = Tokenizer(models.WordLevel({letter: place for place, letter in enumerate(letters)}))
        words.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Split(Regex("."), "isolated")]
        )
        super().__init__(tokenizer_object=words)


def generate(
    draft_model: TabularModel,
    target_model: TabularModel,
    prompt: tuple[int, ...],
    length: int,
    n: int,
    rng: np.random.Generator,
    tokenizer: type[OwnVocabulary] = OwnVocabulary,
) -> Tokens:
    """Contract generate, for tables in which only the last token matters; the assistant has one token more.

    The assistant's ids are those of the target in the opposite order, and its own token stands first.
    """
    logits = logits_after(target_model)
    size = len(logits)
    own = np.pad(logits_after(draft_model)[::-1, ::-1], ((1, 0), (1, 0)))
    target, assistant = llama(logits), llama(own)
    tokenizers = {
        "tokenizer": tokenizer(LETTERS[:size]),
        "assistant_tokenizer": tokenizer(LETTERS[size::-1]),
    }
    config = GenerationConfig(do_sample=True, top_k=0, max_new_tokens=length, pad_token_id=0)
    ids = torch.tensor([[target_model.num_states, *prompt]])
    texts = np.empty((n, length), dtype=np.int64)
    with seeded(rng), quiet_transformers():
        for text in texts:
            emitted = target.generate(ids, generation_config=config, assistant_model=assistant, **tokenizers)
            text[:] = emitted[0, ids.shape[1] :].numpy()
    return texts
