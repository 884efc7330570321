"""tpu-inference: ``rejection_sample`` of vLLM's plugin for TPUs, in JAX on the processor."""

from __future__ import annotations

import importlib
from functools import cache
from typing import Any

import numpy as np

from audit.package import load, unpack_for_import
from audit.stand_ins import StandIn, in_place
from specproof.conformance.problems import Tokens
from specproof.simulations.language_models.wheel import Wheel
from specproof.simulations.samplers.inversion import invert
from specproof.theory.distribution import Array

WHEEL = Wheel(
    distribution="tpu-inference",
    version="0.32.0",
    filename="tpu_inference-0.32.0-py3-none-any.whl",
    size=2_335_271,
    sha256="7c25a3c76cefd383f06ef115a6ed4d7bed82c081f047046bfef55f5913ea06d4",
    member="tpu_inference/layers/jax/sample/rejection_sampler.py",
)
JAX = (
    Wheel(
        "jax",
        "0.10.2",
        "jax-0.10.2-py3-none-any.whl",
        3_219_515,
        "724d73c4678d8b06f6a6ab4db1b8a2fea8cd4f1e2c2564f99601634ec7b8d1c6",
        "",
    ),
    Wheel(
        "jaxlib",
        "0.10.2",
        "jaxlib-0.10.2-cp311-cp311-manylinux_2_27_x86_64.whl",
        85_448_560,
        "1faca3c5d4662cb4a6130a68105d68bb520764817e165d6eebfd6786c0d1f30f",
        "",
    ),
    Wheel(
        "ml-dtypes",
        "0.6.0",
        "ml_dtypes-0.6.0-cp311-cp311-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl",
        412_043,
        "6c8e39b53e90afda8ce52859c93de4dba3e02b76d85dcf091cc469f9184c6dae",
        "",
    ),
    Wheel(
        "opt-einsum",
        "3.4.0",
        "opt_einsum-3.4.0-py3-none-any.whl",
        71_932,
        "69bb92469f86a1565195ece4ac0323943e83477171b91d24c35afe028a90d7cd",
        "",
    ),
)
WHEELS = (WHEEL, *JAX)
STAND_INS = (
    "tpu_inference.layers.common.binary_search",
    "tpu_inference.layers.common.sharding",
    "tpu_inference.layers.jax.sample.sampling_metadata",
)


def verify(draft_probs: Array | None, target_probs: Array, draft_tokens: Tokens, rng: np.random.Generator) -> Tokens:
    """Contract chain, ragged too, and drafts without a law; the caller draws the token after the last draft.

    What is compiled is compiled for one number of tokens and of rows: rows without drafts fill up the call.
    """
    jax, module = _jax(), _module()
    kept = draft_tokens >= 0
    lengths, (trials, longest) = kept.sum(axis=1), draft_tokens.shape
    rows = next(size for size in (64, 4096, 1 << 20) if size >= trials)
    spare = rows * longest - int(lengths.sum())
    target = target_probs[:, :longest][kept]
    laws = [
        None if law is None else np.pad(law.astype(np.float32), ((0, spare), (0, 0)))
        for law in (None if draft_probs is None else draft_probs[kept], target)
    ]
    bonus = invert(target_probs[np.arange(trials), lengths], rng.random(trials))
    main = module(
        np.pad(draft_tokens[kept], (0, spare)),
        np.pad(lengths, (0, rows - trials)),
        *laws,
        np.pad(bonus, (0, rows - trials)),
        True,
        jax.random.key(int(rng.integers(2**32))),
    )
    flat = np.asarray(main).astype(np.int64)
    emitted = np.full((trials, longest + 1), -1, dtype=np.int64)
    emitted[:, :longest][kept] = flat[: int(lengths.sum())]
    following = flat[rows * longest :][:trials]
    emitted[np.arange(trials), lengths] = np.where(following >= 0, following, emitted[np.arange(trials), lengths])
    return emitted


@cache
def _jax() -> Any:
    unpack_for_import(*JAX)
    return importlib.import_module("jax")


@cache
def _module() -> Any:
    jax = _jax()
    with in_place({name: StandIn(name) for name in STAND_INS}):
        return jax.jit(load(WHEEL).rejection_sample, static_argnums=5)
