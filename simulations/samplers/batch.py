"""Speculative decoding with batches of drafts on Markov chains: the runs that Theorem 3 of Yin et al. 2024 counts."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from specproof.simulations.samplers.inversion import cumulative_shares, quantile
from specproof.simulations.samplers.recursive import residual_steps
from specproof.simulations.samplers.rejections import (
    Runs,
    StepTables,
    empty_runs,
    paired_steps,
    step_tables,
)
from specproof.simulations.samplers.selection import or_target
from specproof.theory.chain import MarkovChain, check_same_size
from specproof.theory.compiled import compiled
from specproof.theory.distribution import Array
from specproof.theory.drafts import one_num_drafts
from specproof.theory.ratio import acceptance_ratio


class BatchTables(NamedTuple):
    """Tables of every step, for a draft that is followed alone and for a fresh batch of M."""

    single: StepTables
    accept: Array
    """Acceptance of the m-th draft of a batch after m-1 failures, shape (M, steps, V, V)."""
    residual: Array
    """Cumulative shares of what a whole batch leaves of the target, shape (steps, V, V)."""


def simulate(draft: MarkovChain, target: MarkovChain, num_drafts: int, runs: int, rng: np.random.Generator) -> Runs:
    """Run speculative decoding with batches of M drafts (Yin et al. 2024, Algorithm 3) on a pair of Markov chains.

    At the start and after a rejection M drafts are tried in turn, each against the residual of the one before; an
    accepted one is followed alone until its next rejection. A position is rejected if all its drafts fail.

    Raises
    ------
    InvalidInput
        If the two are not Markov chains or differ in size or horizon, or M or runs is not an integer >= 1.
    """
    check_same_size(draft, target, MarkovChain)
    return simulate_tables(batch_tables(draft, target, num_drafts), target.horizon, runs, rng)


def batch_tables(draft: MarkovChain, target: MarkovChain, num_drafts: int) -> BatchTables:
    """Tabulate acceptance min(1, q^m/p) and the last residual q^{M+1} of every step."""
    proposal, law = paired_steps(draft, target)
    *offers, (left, _) = residual_steps(proposal, law, one_num_drafts(num_drafts))
    accept = np.stack([acceptance_ratio(proposed, offered) for offered, proposed in offers])
    return BatchTables(step_tables(draft, target), accept, cumulative_shares(or_target(left, law)))


def simulate_tables(tables: BatchTables, horizon: int, runs: int, rng: np.random.Generator) -> Runs:
    """Run with given tables, which may be those of a deliberately broken rule."""
    result = empty_runs(runs, horizon)
    _run(tables, result.tokens, result.rejected, rng)
    return result


@compiled()
def _run(tables: BatchTables, tokens: NDArray[np.int64], rejected: NDArray[np.bool_], rng: np.random.Generator) -> None:
    single = tables.single
    final = single.draft.shape[0] - 1
    for run in range(tokens.shape[0]):
        last, fresh = 0, True
        for position in range(tokens.shape[1]):
            step = min(position, final)
            token, failed = 0, True
            for index in range(tables.accept.shape[0] if fresh else 1):
                token = quantile(single.draft[step, last], rng.random())
                threshold = tables.accept[index, step, last, token] if fresh else single.accept[step, last, token]
                if rng.random() < threshold:
                    failed = False
                    break
            if failed:
                residual = tables.residual if fresh else single.residual
                token = quantile(residual[step, last], rng.random())
            tokens[run, position], rejected[run, position] = token, failed
            last, fresh = token, failed
