"""sequential-speculative-decoding: its three methods, each a whole round of drafting and verification."""

from __future__ import annotations

import dataclasses
from functools import partial
from types import ModuleType
from typing import Any

import numpy as np
import torch

from audit.models import generate_rounds, logits_field
from audit.package import load
from audit.randomness import seeded
from specproof.conformance.problems import Tokens
from specproof.simulations.language_models.wheel import Wheel
from specproof.theory.chain import TabularModel

WHEEL = Wheel(
    distribution="sequential-speculative-decoding",
    version="0.1.1",
    filename="sequential_speculative_decoding-0.1.1-py3-none-any.whl",
    size=15_280,
    sha256="cc59c9b7e72e1cce99907a851cd9daca5b3fba81e9e64aa4a8b714c4e25a4013",
    member="seqspecdecod/standard_sd.py",
)
WHEELS = (WHEEL,)
DRAFT_LENGTH = 2


def method_module(name: str) -> ModuleType:
    """Load the module of one method."""
    return load(dataclasses.replace(WHEEL, member=f"seqspecdecod/{name}.py"))


def standard(*problem: Any) -> Tokens:
    """Contract generate: ``standard_speculative_step``, at temperature 1."""
    return _generate("standard_sd", "standard_speculative_step", *problem)


def naive_hsd(*problem: Any) -> Tokens:
    """Contract generate: ``naive_hsd_step``, at temperature 1."""
    return _generate("naive_hsd", "naive_hsd_step", *problem)


def capped_hsd(*problem: Any) -> Tokens:
    """Contract generate: ``capped_hsd_step``, at temperature 1."""
    return _generate("capped_hsd", "capped_hsd_step", *problem)


def _generate(
    module: str,
    function: str,
    draft_model: TabularModel,
    target_model: TabularModel,
    prompt: tuple[int, ...],
    length: int,
    n: int,
    rng: np.random.Generator,
) -> Tokens:
    method = getattr(method_module(module), function)
    models = logits_field(draft_model), logits_field(target_model)
    step = partial(method, *models, gamma=DRAFT_LENGTH, draft_temperature=1.0, target_temperature=1.0)

    def one_round(ids: torch.Tensor) -> torch.Tensor:
        longer: torch.Tensor = step(ids)[0]
        return longer

    with seeded(rng):
        return generate_rounds(one_round, prompt, length, n)
