"""keras-hub: ``SpeculativeSampler`` with a base sampler; Keras runs on torch."""

from __future__ import annotations

import importlib
import os
import warnings
from functools import cache, partial
from typing import Any
from unittest.mock import patch

import numpy as np
import torch

from audit.package import load, unpack_for_import, unpacked
from audit.stand_ins import StandIn, in_place
from audit.trials import log_rows
from specproof.conformance.problems import Tokens, next_token_law
from specproof.simulations.language_models.wheel import Wheel
from specproof.theory.chain import TabularModel

WHEEL = Wheel(
    distribution="keras-hub",
    version="0.32.0",
    filename="keras_hub-0.32.0-py3-none-any.whl",
    size=1_717_070,
    sha256="c0a07ed19b894f5588188afd841659263eb6d3732e21188c82e3e7d3b6de4268",
    member="keras_hub/src/samplers/speculative_sampler.py",
)
KERAS = (
    Wheel(
        "keras",
        "3.15.1",
        "keras-3.15.1-py3-none-any.whl",
        2_398_595,
        "836460e480930acbd19bb7a17e62f9ecad40e8a9af9a651fc8d0586a96d27e20",
        "",
    ),
    Wheel(
        "absl-py",
        "2.5.1",
        "absl_py-2.5.1-py3-none-any.whl",
        137_673,
        "721200f2f0e9960f2ca9dc3a2a706b201f5f75d812c158f059cbbe29eeafbdb8",
        "",
    ),
    Wheel(
        "namex",
        "0.1.0",
        "namex-0.1.0-py3-none-any.whl",
        5_905,
        "e2012a474502f1e2251267062aae3114611f07df4224b6e06334c57b0f2ce87c",
        "",
    ),
    Wheel(
        "optree",
        "0.20.0",
        "optree-0.20.0-cp311-cp311-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl",
        477_936,
        "cd49b5a6066ebb027b37afa19f02d77e33067f33b0d5b7602b537e6892789d00",
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
)
WHEELS = (WHEEL, *KERAS)
GEMMA = "keras_hub.src.models.gemma4.gemma4_causal_lm"
"""Imported in each round, to ask whether the model is one."""
STAND_INS = {
    GEMMA: StandIn(GEMMA),
    "keras_hub.src.api_export": StandIn("api_export", keras_hub_export=lambda _: lambda decorated: decorated),
    "keras_hub.src.utils.tensor_utils": StandIn("tensor_utils"),
}
DRAFTS = 2


def generate(
    draft_model: TabularModel,
    target_model: TabularModel,
    prompt: tuple[int, ...],
    length: int,
    n: int,
    rng: np.random.Generator,
) -> Tokens:
    """Contract generate, all texts in one call, without ``verify_next``: the target is asked for each position."""
    own = module()
    sampler = own.SpeculativeSampler(DRAFTS, own.Sampler(), seed=int(rng.integers(2**31)))
    ids = torch.zeros(n, len(prompt) + length, dtype=torch.int32)
    ids[:, : len(prompt)] = torch.tensor(prompt)
    draft, target = (partial(_next, model) for model in (draft_model, target_model))
    with in_place(STAND_INS), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a vocabulary of one token is a vocabulary too
        texts = sampler(target, ids, index=len(prompt), draft_next=draft)
    tokens: Tokens = texts.numpy()[:, len(prompt) :].astype(np.int64)
    return tokens


@cache
def module() -> Any:
    """``keras_hub.src.samplers.speculative_sampler``."""
    home = str(unpacked(KERAS[0]).parent)
    unpack_for_import(*KERAS)
    with patch.dict(os.environ, KERAS_BACKEND="torch", KERAS_HOME=home), in_place(STAND_INS):
        importlib.import_module("keras")
        return load(WHEEL)


def _next(model: TabularModel, ids: torch.Tensor, cache: None, index: Any) -> tuple[torch.Tensor, None, None]:
    """Logits (n, V) of the token at ``index``, hidden states and cache."""
    return log_rows(next_token_law(model, ids[:, : int(index)].numpy())), None, cache
