"""Whole loops with small networks whose attention matters, against a law enumerated without a loop.

The kit's tables cannot show what a cache or a mask does to a network. Here each text's probability is the product of
what the network itself gives when it is handed each prefix afresh.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from audit.adapters import speculative_decoding, transformers_generate
from audit.package import load
from specproof.conformance.problems import Tokens
from specproof.simulations.statistics import Check, check_law
from specproof.theory.distribution import Array

PROMPT, LENGTH = (1, 2), 3
LEVEL = 1e-6
Logits = Callable[[torch.Tensor], torch.Tensor]
"""Token ids (n, m) in, logits (n, m, V) out."""


@dataclass(frozen=True)
class Loop:
    """A loop with its networks: ``sample`` gives n texts of ``LENGTH`` tokens after ``PROMPT``."""

    num_tokens: int
    target: Logits
    sample: Callable[[int, np.random.Generator], Tokens]


def joint_law(target: Logits, num_tokens: int) -> Array:
    """The law of ``LENGTH`` tokens after ``PROMPT``, shape (V ** LENGTH,), each prefix handed over afresh."""
    law, prefixes = np.ones(1), torch.tensor([PROMPT])
    for _ in range(LENGTH):
        with torch.no_grad():
            rows = target(prefixes)[:, -1].double().softmax(-1).numpy()
        law = (law[:, None] * rows).reshape(-1)
        following = torch.arange(num_tokens).repeat(len(prefixes))[:, None]
        prefixes = torch.cat([prefixes.repeat_interleave(num_tokens, dim=0), following], dim=1)
    return law


def check(loop: Loop, trials: int, seed: int, level: float = LEVEL) -> Check:
    """Test n texts of a loop against the target's joint law."""
    with threadpool_limits(limits=1):  # networks this small are slower on several threads, on a busy machine by far
        tokens = loop.sample(trials, np.random.default_rng(seed))
    numbers = tokens @ loop.num_tokens ** np.arange(LENGTH)[::-1]
    return check_law(numbers, joint_law(loop.target, loop.num_tokens), level)


def transformers_loop() -> Loop:
    """Two random Llamas of transformers over eight tokens."""
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=8,
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        initializer_range=0.4,
        bos_token_id=None,
        eos_token_id=None,
        pad_token_id=None,
    )
    draft, target = (_seeded(seed, lambda: LlamaForCausalLM(config).eval()) for seed in (1, 2))
    return Loop(
        8,
        lambda ids: target(ids).logits,
        lambda n, rng: transformers_generate.texts(draft, target, PROMPT, LENGTH, n, rng),
    )


def decoder_loop(batch: int | None = None, *, masked: bool = False) -> Loop:
    """Two random networks of speculative-decoding's own class over three tokens; all texts in one call or ``batch``.

    ``masked`` undoes what the audit suspects: the mask that ``Decoder.forward`` builds is handed to its layers.
    """
    module = load(*speculative_decoding.WHEELS)
    draft, target = (
        _seeded(seed, lambda: _spread(module.Decoder(num_tokens=3, dim=8, depth=1, heads=2, dim_head=8).eval()))
        for seed in (1, 0)
    )
    if masked:
        _hand_masks_over(draft)
        _hand_masks_over(target)

    def sample(n: int, rng: np.random.Generator) -> Tokens:
        sizes = [min(batch or n, n - start) for start in range(0, n, batch or n)]
        return np.concatenate([speculative_decoding.texts(draft, target, PROMPT, LENGTH, size, rng) for size in sizes])

    return Loop(3, target, sample)


@dataclass(frozen=True)
class Experiment:
    """A line of the audit.

    Attributes
    ----------
    name : str
        Of the subject.
    networks : str
        What the loop is run with.
    build : callable
    texts : int
        How many are drawn.
    """

    name: str
    networks: str
    build: Callable[[], Loop]
    texts: int


_DECODERS = "random `Decoder`s over 3 tokens"

EXPERIMENTS = (
    Experiment("transformers-generate", "random Llamas over 8 tokens, one text a call", transformers_loop, 4000),
    Experiment("speculative-decoding", f"{_DECODERS}, all texts in one batch", decoder_loop, 20_000),
    Experiment(
        "speculative-decoding",
        f"{_DECODERS}, all texts in one batch, the mask handed over",
        partial(decoder_loop, masked=True),
        20_000,
    ),
    Experiment("speculative-decoding", f"{_DECODERS}, one text a call", partial(decoder_loop, batch=1), 4000),
)
"""What is run for the audit."""


def _seeded(seed: int, build: Callable[[], Any]) -> Any:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build()


def _spread(network: Any) -> Any:
    """Weights large enough for laws that differ between contexts."""
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.ndim == 2:
                parameter.normal_(0.0, 0.8)
    return network


def _hand_masks_over(network: Any) -> None:
    """Hand each layer's attention the mask of its network's ``seq_start_pos``, as ``Decoder.forward`` builds it."""
    handed: dict[str, Any] = {}

    def build(_: Any, inputs: tuple[Any, ...], options: dict[str, Any]) -> None:
        start = options.get("seq_start_pos")
        handed["context_mask"] = None if start is None else torch.arange(inputs[0].shape[1]) >= start[:, None]

    def hand_over(_: Any, inputs: tuple[Any, ...], options: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return inputs, options | handed

    network.register_forward_pre_hook(build, with_kwargs=True)
    for attention, _ in network.layers:
        attention.register_forward_pre_hook(hand_over, with_kwargs=True)
