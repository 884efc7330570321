"""Samplers: trials a second on one core, beside transformers' own rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import torch
from transformers.generation.utils import _speculative_sampling

from benchmarks.timing import Comparison, best
from specproof.simulations.samplers import kseq, single
from specproof.theory.distribution import Array, dirichlet
from specproof.theory.verifiers.kseq.factor import division_factor

VOCABULARY, TRIALS, CALLS = 32, 1_000_000, 500
FLOOR = 5e6
"""Trials a second asked for, drafting included."""


def compare() -> Iterator[Comparison]:
    """Time whole trials, drafting included, against the floor and against calls of ``_speculative_sampling``."""
    rng = np.random.default_rng(0)
    draft, target = (dirichlet(VOCABULARY, 1.0, rng) for _ in range(2))
    peer = best(lambda: _peer_calls(draft, target), repeats=3) / CALLS * TRIALS
    rules: dict[str, Callable[[], object]] = {"single draft": partial(single.simulate, draft, target, TRIALS, rng)}
    for count in (4, 8):
        rho = division_factor(draft, target, count)
        rules[f"K-SEQ, k = {count}"] = partial(kseq.simulate, draft, target, count, TRIALS, rng, rho)
    for name, run in rules.items():
        seconds = best(run)
        what = f"{name}, V = {VOCABULARY}, a million trials"
        yield Comparison(what, seconds, TRIALS / FLOOR, "floor of 5 million trials a second", 1.0)
        yield Comparison(what, seconds, peer, "transformers' _speculative_sampling", 500.0)


def _peer_calls(draft: Array, target: Array) -> None:
    """Verify one draft a call, as generate does; drafting is not counted against it."""
    ids = torch.tensor([[0, 1]])
    draft_logits = torch.from_numpy(np.log(draft))[None, None].float()
    target_logits = torch.from_numpy(np.log(target))[None, None].float().repeat(1, 2, 1)
    for _ in range(CALLS):
        _speculative_sampling(ids, draft_logits, 1, target_logits)
