"""vllm-ascend: ``rejection_sample`` on its PyTorch path, token by token and by blocks.

That path is what the plugin runs where Triton is missing. The module imports vLLM and pins its memory; a plain machine
has neither, so the adapter puts stand-ins in the place of vLLM's names and leaves the pinning out.
"""

from __future__ import annotations

from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from audit.package import load
from audit.randomness import seeded
from audit.stand_ins import StandIn, in_place
from audit.trials import log_rows, whole_batches
from specproof.conformance.problems import Tokens
from specproof.simulations.language_models.wheel import Wheel
from specproof.theory.distribution import Array

WHEEL = Wheel(
    distribution="vllm-ascend",
    version="0.23.0",
    filename="vllm_ascend-0.23.0-cp311-cp311-manylinux_2_34_x86_64.whl",
    size=27_274_235,
    sha256="4f0d25d3b6d8ae85753b53d4bd8d910418865baf413fa779b87012ad1a4a3f87",
    member="vllm_ascend/sample/rejection_sampler.py",
)
WHEELS = (WHEEL,)
STAND_INS = (
    "vllm.distributed.parallel_state",
    "vllm.logger",
    "vllm.triton_utils",
    "vllm.v1.outputs",
    "vllm.v1.sample.logits_processor.builtin",
    "vllm.v1.sample.metadata",
    "vllm.v1.sample.ops.bad_words",
    "vllm.v1.sample.rejection_sampler",
    "vllm.v1.sample.sampler",
    "vllm.v1.spec_decode.metadata",
    "vllm_ascend.ascend_config",
    "vllm_ascend.ops.triton.reject_sample",
    "vllm_ascend.sample.penalties",
    "vllm_ascend.sample.sampler",
    "vllm_ascend.utils",
)


BATCH = 1000
"""Texts in one call: the function's index tables grow with the square of it."""


@whole_batches
def verify(draft_probs: Array, target_probs: Array, draft_tokens: Tokens, rng: np.random.Generator) -> Tokens:
    """Contract chain, as configured by default."""
    return _in_batches(draft_probs, target_probs, draft_tokens, rng, block_verify=False)


@whole_batches
def verify_block(draft_probs: Array, target_probs: Array, draft_tokens: Tokens, rng: np.random.Generator) -> Tokens:
    """Contract chain, with ``enable_block_verify``, which the function heeds from three drafts on."""
    return _in_batches(draft_probs, target_probs, draft_tokens, rng, block_verify=True)


def _in_batches(
    draft_probs: Array, target_probs: Array, draft_tokens: Tokens, rng: np.random.Generator, *, block_verify: bool
) -> Tokens:
    module = _module(block_verify)
    with seeded(rng):
        return np.concatenate(
            [
                _verify(module, draft_probs[rows], target_probs[rows], draft_tokens[rows])
                for rows in (slice(start, start + BATCH) for start in range(0, len(draft_tokens), BATCH))
            ]
        )


def _verify(module: Any, draft_probs: Array, target_probs: Array, draft_tokens: Tokens) -> Tokens:
    trials, length = draft_tokens.shape
    ends = torch.arange(1, trials + 1) * length
    policy = SimpleNamespace(all_greedy=False, all_random=True, temperature=torch.ones(trials), generators={})
    target = log_rows(target_probs)
    emitted: Tokens = module.rejection_sample(
        torch.from_numpy(draft_tokens).flatten(),
        [length] * trials,
        length,
        ends,
        torch.from_numpy(draft_probs).float().flatten(0, 1),
        target[:, :-1].flatten(0, 1).contiguous(),
        torch.multinomial(target[:, -1].exp(), 1),
        policy,
    ).numpy()
    return emitted.astype(np.int64)


def _module(block_verify: bool) -> Any:
    module = _loaded()
    options = SimpleNamespace(
        enable_block_verify=block_verify, enable_entropy_verify=False, posterior_threshold=0.95, posterior_alpha=0.4
    )
    module.get_ascend_config = lambda: SimpleNamespace(rejection_sampler_config=options, enable_reduce_sample=False)
    return module


@cache
def _loaded() -> Any:
    """The module, with vLLM's constants at their values."""
    names = {
        "HAS_TRITON": False,
        "PLACEHOLDER_TOKEN_ID": -1,
        "GREEDY_TEMPERATURE": 0,
        "logger": _SILENT,
        "generate_uniform_probs": _uniforms,
    }
    with in_place({name: StandIn(name, **names) for name in STAND_INS}):
        module: Any = load(WHEEL)
    module.torch = _Unpinned()
    return module


_SILENT = SimpleNamespace(debug_once=lambda *_: None, info_once=lambda *_: None, warning_once=lambda *_: None)


def _uniforms(count: int, *_: Any) -> torch.Tensor:
    """VLLM draws them in float64, one a drafted token."""
    return torch.rand(count, dtype=torch.float64)


class _Unpinned:
    """torch, but for the argument ``pin_memory``."""

    def __getattr__(self, name: str) -> Any:
        function = getattr(torch, name)
        if name not in ("arange", "full", "ones", "tensor"):
            return function
        return lambda *values, pin_memory=False, **options: function(*values, **options)  # noqa: ARG005
