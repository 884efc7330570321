"""vLLM's CPU build: temperatures are those of the requests."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import torch

from audit.adapters import vllm
from specproof.conformance.problems import Tokens

COPIED = "what the kernel writes for each token is copied back"


def copied_back(*problem: Any) -> Tokens:
    """Contract chain, by the kernels of the CPU build, and the function around one of them copies its output."""
    with patch.dict(vllm._cpp_routes(), expand_kernel=_expand):
        return vllm.first_constrained_cpp(*problem)


def _expand(
    output: torch.Tensor, given: torch.Tensor, ends: torch.Tensor, replace_from: int, replace_to: int, _: int
) -> None:
    """As vLLM's own, which leaves out the last line; the kernel knows whole numbers."""
    written = output.long()
    torch.ops._C.expand_kernel_impl(written, given.long(), ends.long(), replace_from, replace_to)
    output.copy_(written)
