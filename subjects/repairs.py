"""The suspected mechanism of a finding undone, and nothing else: if the bias goes away with it, it was the cause.

Nothing of this is a patch to be used. What a repair needs and the package's function is not given is handed in by its
side door: a module's own ``torch``, or a function that the module calls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch

from simulations.conformance import ChainProblem, check_sampler
from simulations.conformance.arguments import LEVEL
from simulations.conformance.defects.block import block_kernel
from simulations.conformance.runner import Sampler
from simulations.samplers.inversion import invert
from simulations.statistics import check_law
from subjects.adapters import rotalabs_accel, vllm_ascend
from subjects.package import load
from subjects.randomness import seeded
from subjects.trials import Tokens, emitted_rows, log_rows
from theory.chain import TabularModel
from theory.distribution import Array


@dataclass(frozen=True)
class Repair:
    """One experiment on a subject of :data:`subjects.registry.SUBJECTS`, in the contract chain.

    Attributes
    ----------
    subject : str
    what : str
        What was undone.
    function : callable
    problem : ChainProblem, optional
        One problem to run it on instead of the kit's ladder.
    """

    subject: str
    what: str
    function: Sampler
    problem: ChainProblem | None = None

    def outcome(self, seconds: float) -> str:
        """Verdict and evidence: of a check, or of ``TRIALS`` trials of the one problem against its exact law."""
        if self.problem is None:
            report = check_sampler(self.function, "chain", time_limit=seconds)
            return f"**{report.verdict}**: {report.reason}"
        rng = np.random.default_rng(0)
        emitted = self.function(*self.problem.inputs(TRIALS, rng), rng)
        result = check_law(self.problem.complete(emitted, rng), self.problem.target_law.reshape(-1), LEVEL)
        seen = f"a text of probability {result.exact:.4f} has one in {result.low:.4f} to {result.high:.4f}"
        verdict = "biased" if result.is_refuted else "lossless"
        return f"**{verdict}** on three drafts of three tokens, in {TRIALS:,} trials: {seen}"


TRIALS = 400_000
"""Of one problem."""


class _WholeLaw:
    """torch, but for ``zeros_like``, which gives the draft law; the module then sets its entry at the drafted token."""

    def __init__(self, law: torch.Tensor) -> None:
        self._law = law

    def __getattr__(self, name: str) -> Any:
        return getattr(torch, name)

    def zeros_like(self, like: torch.Tensor) -> torch.Tensor:
        return self._law.to(like.dtype, copy=True)


def rotalabs_whole_law(
    draft_probs: Array, target_probs: Array, draft_tokens: Tokens, rng: np.random.Generator
) -> Tokens:
    """Contract chain: ``rejection_sample`` subtracts the whole draft law instead of its entry at the draft."""
    module: Any = load(rotalabs_accel.WHEEL)

    def emit(draft: torch.Tensor, target: torch.Tensor, tokens: torch.Tensor, logits: torch.Tensor) -> Iterator[int]:
        for position, token in enumerate(tokens):
            with _replaced(module, "torch", _WholeLaw(draft[position])):
                accepted, emitted = module.rejection_sample(
                    target[position, token], draft[position, token], token, logits[position]
                )
            yield int(emitted)
            if not accepted:
                return
        yield int(torch.multinomial(target[-1], 1))

    trials = zip(*map(torch.from_numpy, (draft_probs, target_probs, draft_tokens)), log_rows(target_probs), strict=True)
    with seeded(rng):
        return emitted_rows((list(emit(*trial)) for trial in trials), draft_tokens.shape[1] + 1)


def ascend_block(
    draft_probs: Array,
    target_probs: Array,
    draft_tokens: Tokens,
    rng: np.random.Generator,
    *,
    accepts: bool,
    replaces: bool,
) -> Tokens:
    """Contract chain: the accepted length, the replacement, or both as in block verification (Sun et al. 2024)."""
    # The module is loaded by the adapter, with stand-ins for what it imports.
    vllm_ascend.verify_block(draft_probs[:1], target_probs[:1], draft_tokens[:1], np.random.default_rng(0))
    module: Any = load(vllm_ascend.WHEEL)
    theirs = module.rejection_random_sample_block_verify_pytorch
    with _replaced(
        module,
        "rejection_random_sample_block_verify_pytorch",
        partial(_by_the_paper, theirs, accepts=accepts, replaces=replaces),
    ):
        return vllm_ascend.verify_block(draft_probs, target_probs, draft_tokens, rng)


def _by_the_paper(
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
    positions = np.arange(length + 1)
    emitted = np.where(positions < kept[:, None], np.pad(drafts, ((0, 0), (0, 1))), -1)
    emitted[np.arange(trials), kept] = last
    output.copy_(torch.from_numpy(emitted))


@contextmanager
def _replaced(module: Any, name: str, value: Any) -> Iterator[None]:
    before = getattr(module, name)
    setattr(module, name, value)
    try:
        yield
    finally:
        setattr(module, name, before)


THREE_TOKENS = ChainProblem(
    *(
        TabularModel([np.broadcast_to(law, (3,) * (index + 1)) for index in range(horizon)])
        for law, horizon in (((0.1, 0.1, 0.8), 3), ((0.2, 0.4, 0.4), 4))
    )
)
"""The ladder's problems of three drafts have two tokens, whose residuals cannot differ but for their weight."""

_ACCEPTS, _REPLACES = "the accepted length is drawn as published", "the replacement is drawn as published"

REPAIRS = (
    Repair(
        "rotalabs-accel",
        "the residual subtracts the whole draft law instead of its entry at the drafted token",
        rotalabs_whole_law,
    ),
    Repair("vllm-ascend-block", _ACCEPTS, partial(ascend_block, accepts=True, replaces=False)),
    Repair("vllm-ascend-block", _ACCEPTS, partial(ascend_block, accepts=True, replaces=False), THREE_TOKENS),
    Repair("vllm-ascend-block", _REPLACES, partial(ascend_block, accepts=False, replaces=True)),
    Repair("vllm-ascend-block", "both are drawn as published", partial(ascend_block, accepts=True, replaces=True)),
    Repair(
        "vllm-ascend-block",
        "both are drawn as published",
        partial(ascend_block, accepts=True, replaces=True),
        THREE_TOKENS,
    ),
)
"""What was tried."""
