"""vllm-ascend: the accepted length, the replacement, or both as in block verification (Sun et al. 2024)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any
from unittest.mock import patch

import numpy as np
import torch

from audit.adapters.vllm_ascend import WHEEL, verify_block
from audit.package import load
from specproof.conformance import ChainProblem
from specproof.conformance.defects.block_verification import block_kernel
from specproof.conformance.defects.rules import emit
from specproof.conformance.problems import Tokens
from specproof.simulations.samplers.inversion import invert
from specproof.theory.chain import TabularModel
from specproof.theory.distribution import Array

_DRAFT, _TARGET = (
    TabularModel([np.broadcast_to(law, (3,) * (index + 1)) for index in range(horizon)])
    for law, horizon in (((0.1, 0.1, 0.8), 3), ((0.2, 0.4, 0.4), 4))
)
THREE_TOKENS = ChainProblem(_DRAFT, _TARGET)
"""The ladder's problems of three drafts have two tokens, whose residuals cannot differ but for their weight."""


def by_the_paper(
    draft_probs: Array,
    target_probs: Array,
    draft_tokens: Tokens,
    rng: np.random.Generator,
    *,
    accepts: bool,
    replaces: bool,
) -> Tokens:
    """Contract chain: what is asked for is drawn from the exact kernel, the rest is as the function leaves it."""
    # The module is loaded by the adapter, with stand-ins for what it imports.
    verify_block(draft_probs[:1], target_probs[:1], draft_tokens[:1], np.random.default_rng(0))
    module: Any = load(WHEEL)
    theirs = module.rejection_random_sample_block_verify_pytorch
    ours = partial(_fill, theirs, accepts=accepts, replaces=replaces)
    with patch.object(module, "rejection_random_sample_block_verify_pytorch", ours):
        return verify_block(draft_probs, target_probs, draft_tokens, rng)


def _fill(
    theirs: Callable[..., None],
    output: torch.Tensor,
    ends: torch.Tensor,
    tokens: torch.Tensor,
    draft: torch.Tensor,
    target: torch.Tensor,
    bonus: torch.Tensor,
    recovered: torch.Tensor,
    *rest: Any,
    accepts: bool,
    replaces: bool,
    **options: Any,
) -> None:
    """Fill ``output`` (n, L+1) as theirs does, with the acceptance or the replacement of the exact kernel."""
    trials, length = output.shape[0], output.shape[1] - 1
    own = output.clone()
    theirs(own, ends, tokens, draft, target, bonus, recovered, *rest, **options)
    drafts = tokens.view(trials, length).numpy().astype(np.int64)
    rows = [law.view(trials, length, -1).double().numpy() for law in (draft, target)]
    stops = block_kernel(rows[0], np.concatenate([rows[1], rows[1][:, -1:]], axis=1), drafts)
    uniforms = torch.rand(2, trials, dtype=torch.float64).numpy()
    kept = invert(stops.stop, uniforms[0]) if accepts else (own.numpy() >= 0).sum(axis=1) - 1
    places = np.arange(trials), np.minimum(kept, length - 1)
    last = invert(stops.token[places], uniforms[1]) if replaces else recovered.view(trials, length).numpy()[places]
    last = np.where(kept < length, last, bonus.view(-1).numpy())
    output.copy_(torch.from_numpy(emit(drafts, kept, last)))
