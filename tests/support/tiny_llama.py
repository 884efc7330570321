"""Tiny random Llamas in the real transformers classes; import it after ``pytest.importorskip("transformers")``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import LlamaConfig, LlamaForCausalLM, LlamaForSequenceClassification, PreTrainedTokenizerFast

from specproof.simulations.language_models.quiet import quiet_transformers

VOCABULARY = 8


def tiny_llama(
    seed: int,
    *,
    vocabulary: int = VOCABULARY,
    eos: int | None = None,
    hidden: int = 16,
    context: int = 64,
    **settings: Any,
) -> Any:
    """Weights large enough for laws that differ by about 0.3 between seeds and between contexts."""
    usual = {"num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 1}
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=hidden,
        intermediate_size=2 * hidden,
        max_position_embeddings=context,
        bos_token_id=None,
        eos_token_id=eos,
        pad_token_id=None,
        **usual | settings,
    )
    module = LlamaForCausalLM(config).eval()
    rng = np.random.default_rng(seed)
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            if "norm" not in name:
                spread = 1.0 if "embed" in name else 1.0 / np.sqrt(hidden)
                parameter.copy_(torch.from_numpy(spread * rng.standard_normal(tuple(parameter.shape))))
    return module


def save_tokenizer(folder: Path, words: list[str]) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers

    tokenizer = Tokenizer(models.WordLevel({word: index for index, word in enumerate(words)}, unk_token=words[0]))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token=words[0]).save_pretrained(folder)


def save_model(folder: Path, seed: int, words: list[str] | None = None, **options: Any) -> None:
    """Write a tiny model and its tokenizer, by default of the words w0 to w7, to a folder."""
    with quiet_transformers():
        tiny_llama(seed, **options).save_pretrained(folder)
        save_tokenizer(folder, words if words is not None else [f"w{index}" for index in range(VOCABULARY)])


def save_reward_model(folder: Path, seed: int, *, labels: int = 1, weight: float | None = None) -> None:
    """Write a tiny reward model and its tokenizer to a folder; ``weight`` stands for every weight of its last layer."""
    config = tiny_llama(seed).config
    config.num_labels = labels
    torch.manual_seed(seed)
    module = LlamaForSequenceClassification(config).eval()
    if weight is not None:
        torch.nn.init.constant_(module.score.weight, weight)
    with quiet_transformers():
        module.save_pretrained(folder)
        save_tokenizer(folder, [f"w{index}" for index in range(VOCABULARY)])
