"""Where a decode's randomness comes from: a function that gives as many uniform numbers as it is asked for."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

Uniforms = Callable[[tuple[int, ...]], Tensor]
"""``uniforms(shape)``: independent float64 numbers in [0, 1) of that shape, on the device of the models."""


def from_numpy(rng: np.random.Generator, device: str) -> Uniforms:
    """Take the numbers from a NumPy generator, so that every device sees the same ones."""

    def uniforms(shape: tuple[int, ...]) -> Tensor:
        return torch.from_numpy(rng.random(shape)).to(device)

    return uniforms


def from_torch(device: torch.device) -> Uniforms:
    """Take the numbers from torch's own generator of the device, so that ``torch.manual_seed`` repeats a run."""

    def uniforms(shape: tuple[int, ...]) -> Tensor:
        return torch.rand(shape, dtype=torch.float64, device=device)

    return uniforms
