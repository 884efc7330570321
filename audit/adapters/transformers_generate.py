"""transformers: ``generate`` with an assistant model and ``do_sample``, end to end in its own Llama classes."""

from __future__ import annotations

import numpy as np
import torch
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM

from audit.prefixes import logits_after
from audit.randomness import seeded
from specproof.conformance.problems import Tokens
from specproof.simulations.language_models.quiet import quiet_transformers
from specproof.theory.chain import TabularModel
from specproof.theory.distribution import Array


def generate(
    draft_model: TabularModel,
    target_model: TabularModel,
    prompt: tuple[int, ...],
    length: int,
    n: int,
    rng: np.random.Generator,
) -> Tokens:
    """Contract generate, for tables in which only the last token matters."""
    prompt = (target_model.num_states, *prompt)
    return texts(markov_llama(draft_model), markov_llama(target_model), prompt, length, n, rng)


def texts(
    assistant: LlamaForCausalLM,
    target: LlamaForCausalLM,
    prompt: tuple[int, ...],
    length: int,
    n: int,
    rng: np.random.Generator,
) -> Tokens:
    """The tokens after the prompt, from n calls of ``generate`` at its defaults but for ``do_sample``; no top-k cut."""
    config = GenerationConfig(do_sample=True, top_k=0, max_new_tokens=length, pad_token_id=0)
    ids = torch.tensor([prompt])
    rows = np.empty((n, length), dtype=np.int64)
    with seeded(rng), quiet_transformers():
        for row in rows:
            row[:] = target.generate(ids, generation_config=config, assistant_model=assistant)[0, len(prompt) :].numpy()
    return rows


def markov_llama(model: TabularModel) -> LlamaForCausalLM:
    """A Llama with the table's laws: its layer adds nothing, so each token's logits are looked up by the token.

    One id more than the table has stands before the prompt; it cannot be drawn.

    Raises
    ------
    Unsupported
        If a law of the table depends on more than the last token, or on the position.
    """
    return llama(logits_after(model))


def llama(logits: Array) -> LlamaForCausalLM:
    """A Llama with these logits (V, V) after each last token."""
    size = len(logits)
    module = _silent_llama(size)
    with torch.no_grad():
        module.model.embed_tokens.weight.copy_(torch.eye(size))
        # The norm before the head makes a unit vector of length sqrt(hidden size).
        module.lm_head.weight.copy_(torch.from_numpy(logits.T / size**0.5))
    return module


def _silent_llama(size: int) -> LlamaForCausalLM:
    """One layer, whose attention and network put out 0."""
    config = LlamaConfig(
        vocab_size=size,
        hidden_size=size,
        intermediate_size=1,
        num_hidden_layers=1,
        num_attention_heads=1,
        head_dim=2,
        rms_norm_eps=0.0,
        bos_token_id=None,
        eos_token_id=None,
        pad_token_id=None,
    )
    module = LlamaForCausalLM(config).double().eval()
    with torch.no_grad():
        for name, parameter in module.model.layers.named_parameters():
            if "norm" not in name:
                parameter.zero_()
    return module
