"""Speculative decoding with every position drafted and tested: the runs that Theorem 1 counts.

Compiled for Markov chains, and an array at a time for models of the whole history.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from specproof.simulations.samplers.inversion import cumulative_shares, invert, quantile
from specproof.simulations.samplers.selection import SelectionSampler, or_target
from specproof.simulations.samplers.single import verify
from specproof.theory.chain import MarkovChain, TabularModel, check_same_size
from specproof.theory.compiled import compiled
from specproof.theory.distribution import Array
from specproof.theory.integers import positive_integer
from specproof.theory.ratio import acceptance_ratio


class Runs(NamedTuple):
    """Independent runs of T positions."""

    tokens: NDArray[np.int64]
    """Emitted tokens, shape (runs, T)."""
    rejected: NDArray[np.bool_]
    """Whether the draft of a position was rejected, shape (runs, T)."""


class StepTables(NamedTuple):
    """Cumulative sums and acceptance probabilities of every step, shape (steps, V, V): step, last token, next token.

    Step 0 emits x_1 and has the same row for each last token; the last step serves all positions from there on.
    """

    draft: Array
    accept: Array
    residual: Array


def simulate(draft: MarkovChain, target: MarkovChain, runs: int, rng: np.random.Generator) -> Runs:
    """Run token-by-token speculative decoding (Yin et al. 2024, Algorithm 1) on a pair of Markov chains.

    Raises
    ------
    InvalidInput
        If the two are not Markov chains, differ in size or horizon, or runs is not an integer >= 1.
    """
    check_same_size(draft, target, MarkovChain)
    return simulate_tables(step_tables(draft, target), target.horizon, runs, rng)


def simulate_histories(
    draft: TabularModel, target: TabularModel, runs: int, rng: np.random.Generator, verifier: SelectionSampler = verify
) -> Runs:
    """Run the same on a pair of full-history models, by any rule for one draft.

    Raises
    ------
    InvalidInput
        If the models differ in vocabulary or horizon, or are not tabular, or runs is not an integer >= 1.
    """
    check_same_size(draft, target, TabularModel)
    result = empty_runs(runs, target.horizon)
    for position, (proposals, laws) in enumerate(zip(draft.conditionals, target.conditionals, strict=True)):
        history = tuple(result.tokens[:, :position].T)
        proposal, law = proposals[history], laws[history]
        drafts = invert(proposal, rng.random(runs))[:, np.newaxis]
        selection = verifier(proposal, law, drafts, rng.random((runs, 2)))
        result.tokens[:, position] = selection.tokens
        result.rejected[:, position] = selection.accepted < 0
    return result


def step_tables(draft: MarkovChain, target: MarkovChain) -> StepTables:
    """Tabulate acceptance min(1, q/p) and the residual [q - p]+ of every step."""
    proposal, law = paired_steps(draft, target)
    replacement = or_target(np.maximum(law - proposal, 0.0), law)
    return StepTables(cumulative_shares(proposal), acceptance_ratio(proposal, law), cumulative_shares(replacement))


def simulate_tables(tables: StepTables, horizon: int, runs: int, rng: np.random.Generator) -> Runs:
    """Run with given tables, which may be those of a deliberately broken rule."""
    result = empty_runs(runs, horizon)
    _run(tables, result.tokens, result.rejected, rng)
    return result


def empty_runs(runs: int, horizon: int) -> Runs:
    """Make room for the runs.

    Raises
    ------
    InvalidInput
        If runs is not an integer >= 1.
    """
    shape = positive_integer(runs, "runs"), horizon
    return Runs(np.empty(shape, dtype=np.int64), np.empty(shape, dtype=np.bool_))


def paired_steps(draft: MarkovChain, target: MarkovChain) -> tuple[Array, Array]:
    """Return the laws of every step of both chains, shape (steps, V, V), the last serving all positions from there."""
    proposal, law = _steps(draft), _steps(target)
    index = np.arange(max(proposal.shape[0], law.shape[0]))
    return proposal[np.minimum(index, proposal.shape[0] - 1)], law[np.minimum(index, law.shape[0] - 1)]


def _steps(chain: MarkovChain) -> Array:
    size = chain.num_states
    first = np.broadcast_to(chain.initial, (1, size, size))
    later = chain.transitions if chain.transitions.ndim == 3 else chain.transitions[np.newaxis]
    return np.concatenate((first, later)) if chain.horizon > 1 else first


@compiled()
def _run(tables: StepTables, tokens: NDArray[np.int64], rejected: NDArray[np.bool_], rng: np.random.Generator) -> None:
    final = tables.draft.shape[0] - 1
    for run in range(tokens.shape[0]):
        last = 0
        for position in range(tokens.shape[1]):
            step = min(position, final)
            token = quantile(tables.draft[step, last], rng.random())
            rejected[run, position] = rng.random() >= tables.accept[step, last, token]
            if rejected[run, position]:
                token = quantile(tables.residual[step, last], rng.random())
            tokens[run, position] = token
            last = token
