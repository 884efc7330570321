"""SGLang: its chain kernel, token by token and by blocks, and the blockwise rejection of DSpark, in both its routes.

The kernels are Triton's and run by the stand-in for it, on tiles of four tokens; what launches them is SGLang's.
"""

from __future__ import annotations

import dataclasses
from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from audit.package import load
from audit.stand_ins import StandIn, in_place
from audit.trials import log_rows, refuse_ragged, whole_batches
from audit.triton.launch import modules
from specproof.conformance.defects.rules import emit
from specproof.conformance.problems import Tokens
from specproof.simulations.language_models.wheel import Wheel
from specproof.theory.distribution import Array

WHEEL = Wheel(
    distribution="sglang",
    version="0.5.23",
    filename="sglang-0.5.23-cp311-cp311-manylinux_2_34_x86_64.whl",
    size=39_063_923,
    sha256="00b3cd5b265ac76c64185fbb6b95424f324ddd9f428d0306b77bc9db9d859937",
    member="sglang/kernels/ops/speculative/reject_sampling.py",
)
WHEELS = (WHEEL,)
DSPARK = dataclasses.replace(WHEEL, member="sglang/kernels/ops/speculative/dspark/blockwise_rejection.py")


def _chain(
    draft_probs: Array,
    target_probs: Array,
    draft_tokens: Tokens,
    rng: np.random.Generator,
    *,
    block: bool = False,
) -> Tokens:
    """Uniforms and probabilities are in float32, as the engine's."""
    trials, length = draft_tokens.shape
    slots = torch.arange(trials * (length + 1)).view(trials, length + 1)
    predicts, index = torch.full((slots.numel(),), -1), torch.full_like(slots, -1)
    accepted = torch.zeros(trials, dtype=torch.int64)
    candidates = torch.cat([torch.zeros(trials, 1, dtype=torch.int64), torch.from_numpy(draft_tokens)], dim=1)
    uniforms = torch.from_numpy(rng.random((trials, length + 1), dtype=np.float32))
    laws = (torch.from_numpy(law).float().contiguous() for law in (target_probs, draft_probs))
    arguments = (candidates, slots, slots, slots, uniforms, uniforms[:, -1].clone(), *laws)
    function = _module(WHEEL).chain_speculative_sampling_triton
    function(predicts, index, accepted, *arguments, 1.0, 1.0, True, block_verification=block)
    emitted: Tokens = torch.where(index >= 0, predicts[index.clamp(min=0)], -1).numpy()
    return emitted


@whole_batches
def chain(draft_probs: Array, target_probs: Array, draft_tokens: Tokens, rng: np.random.Generator) -> Tokens:
    """Contract chain, token by token."""
    return _chain(draft_probs, target_probs, draft_tokens, rng, block=False)


@whole_batches
def block(draft_probs: Array, target_probs: Array, draft_tokens: Tokens, rng: np.random.Generator) -> Tokens:
    """Contract chain, with ``block_verification``."""
    return _chain(draft_probs, target_probs, draft_tokens, rng, block=True)


def dspark(
    draft_probs: Array | None,
    target_probs: Array,
    draft_tokens: Tokens,
    rng: np.random.Generator,
    route: str = "blockwise_rejection_torch",
) -> Tokens:
    """Contract chain, drafts without a law too; each call has a server's key of its own."""
    refuse_ragged(draft_tokens)
    trials, length = draft_tokens.shape
    tokens = torch.from_numpy(draft_tokens)
    accepted, following, _ = getattr(_module(DSPARK), route)(
        candidates=torch.cat([torch.zeros(trials, 1, dtype=torch.int64), tokens], dim=1),
        target_logits=log_rows(target_probs).float().reshape(trials * (length + 1), -1).contiguous(),
        draft_logits=None if draft_probs is None else log_rows(draft_probs).float().contiguous(),
        target_temperatures=torch.ones(trials),
        draft_temperatures=torch.ones(trials),
        noise=SimpleNamespace(key=int(rng.integers(2**62)), counter=torch.zeros(1, dtype=torch.int64)),
    )
    return emit(draft_tokens, accepted.numpy().astype(np.int64), following.numpy())


def dspark_kernels(
    draft_probs: Array | None, target_probs: Array, draft_tokens: Tokens, rng: np.random.Generator
) -> Tokens:
    """Contract chain, by the kernels."""
    return dspark(draft_probs, target_probs, draft_tokens, rng, "blockwise_rejection_triton")


@cache
def _module(wheel: Wheel) -> Any:
    with in_place({**modules(), "msgspec": StandIn("msgspec", Struct=_Struct)}):
        return load(wheel)


class _Struct:
    """What the noise's class is made from; the adapter makes its own."""

    def __init_subclass__(cls, **_: Any) -> None:
        """Take the options."""
