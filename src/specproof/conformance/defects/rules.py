"""Verifiers of a drafted chain as exact kernels: given the drafts, where a round stops and what it emits there.

Both a kernel and its sampler are made from one :class:`Rule`, which says what is tested and what replaces a rejected
token: the kernel multiplies probabilities, the sampler draws uniforms. All is
written out here once more, without a function of :mod:`specproof.theory`, as defects are mutations of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from specproof.conformance.problems import ChainProblem, Inputs, Tokens
from specproof.simulations.samplers.inversion import invert
from specproof.theory.chain import TabularModel
from specproof.theory.distribution import Array

Entry = TypeVar("Entry", bound=np.generic)


class Ends(NamedTuple):
    """What becomes of n rounds of L drafts, given the drafts."""

    stop: Array
    """The probability that i drafts are kept and one more token is emitted, i = 0..L, shape (n, L+1)."""
    token: Array
    """The law of that token, shape (n, L+1, V)."""


RoundKernel = Callable[[Array, Array, Tokens], Ends]
"""``kernel(draft_probs (n, L, V), target_probs (n, L+1, V), draft_tokens (n, L))``."""

ChainSampler = Callable[[Array, Array, Tokens, np.random.Generator], Tokens]
"""The contract ``chain``."""


class Rows(NamedTuple):
    """Which rows are used where."""

    draft: Array
    """The draft rows of the tests and replacements, shape (n, L, V)."""
    target: Array
    """The target rows of the tests and replacements, shape (n, L, V)."""
    bonus: Array
    """The rows of the bonus tokens, shape (n, V)."""


def straight(draft: Array, target: Array) -> Rows:
    """Wire the rows as they should be."""
    return Rows(draft, target[:, :-1], target[:, -1])


def quotient(draft: Array, target: Array, tokens: Tokens) -> Array:
    """Give min(1, q/p) at the drafted tokens; 1 where p = 0. Laws of shape (..., V), tokens (...)."""
    p, q = pick(draft, tokens), pick(target, tokens)
    with np.errstate(over="ignore"):
        ratio = np.divide(q, p, out=np.ones_like(q), where=p > 0)
    return np.minimum(ratio, 1.0)


def residual(draft: Array, target: Array, tokens: Tokens) -> Array:
    """Normalise [q - p]+, shape (..., V); q takes its place if its sum is 0."""
    del tokens
    return normalised(np.maximum(target - draft, 0.0), target)


@dataclass(frozen=True)
class Rule:
    """Token by token: test each draft, replace the first that fails, add a bonus token if none does."""

    test: Callable[[Array, Array, Tokens], Array] = quotient
    """The probability of acceptance at each drafted token."""
    replace: Callable[[Array, Array, Tokens], Array] = residual
    """The law of the replacement, given the rejected token."""
    wire: Callable[[Array, Array], Rows] = straight
    """The rows that are used where, given those that the sampler is handed."""

    def kernel(self, draft_probs: Array, target_probs: Array, draft_tokens: Tokens) -> Ends:
        """Multiply the probabilities of a round."""
        rows = self.wire(draft_probs, target_probs)
        accept = self.test(rows.draft, rows.target, draft_tokens)
        reach = np.cumprod(np.concatenate([np.ones((len(accept), 1)), accept], axis=1), axis=1)
        stop = reach * np.concatenate([1.0 - accept, np.ones((len(accept), 1))], axis=1)
        replaced = self.replace(rows.draft, rows.target, draft_tokens)
        return Ends(stop, np.concatenate([replaced, rows.bonus[:, np.newaxis]], axis=1))

    def sampler(
        self, draft_probs: Array, target_probs: Array, draft_tokens: Tokens, rng: np.random.Generator
    ) -> Tokens:
        """Draw n rounds."""
        rows = self.wire(draft_probs, target_probs)
        accepted = rng.random(draft_tokens.shape) < self.test(rows.draft, rows.target, draft_tokens)
        kept = np.cumprod(accepted, axis=1).sum(axis=1)
        replaced = self.replace(rows.draft, rows.target, draft_tokens)
        laws = np.concatenate([replaced, rows.bonus[:, np.newaxis]], axis=1)[np.arange(len(kept)), kept]
        return emit(draft_tokens, kept, invert(laws, rng.random(len(kept))))


RIGHT = Rule()
"""The rule as published (Leviathan et al. 2023, Chen et al. 2023)."""


def token_laws(draft: Array, target: Array, tokens: Tokens) -> Array:
    """Give the laws of what the right rule emits after i kept drafts, shape (n, L+1, V)."""
    return np.concatenate([residual(draft, target[:, :-1], tokens), target[:, -1:]], axis=1)


def emit(draft_tokens: Tokens, kept: Tokens, last: Tokens) -> Tokens:
    """Lay out the emitted rows: the kept drafts, one more token, and -1."""
    places = np.arange(draft_tokens.shape[1] + 1)
    padded = np.concatenate([draft_tokens, last[:, np.newaxis]], axis=1)
    rows = np.where(places == kept[:, np.newaxis], last[:, np.newaxis], padded)
    return np.where(places <= kept[:, np.newaxis], rows, -1)


def every_draft(problem: ChainProblem) -> tuple[Array, Inputs]:
    """Give all V^L drafts with their probabilities, and the rows that come with them."""
    drafts = np.indices((problem.num_tokens,) * problem.length).reshape(problem.length, -1).T
    draft, target = (_gather(model, drafts) for model in (problem.draft, problem.target))
    weights = np.take_along_axis(draft, drafts[:, :, np.newaxis], axis=-1)[..., 0].prod(axis=1)
    return weights, Inputs(draft, target, drafts)


def emitted_law(problem: ChainProblem, kernel: RoundKernel) -> Array:
    """Give the law of the emitted rows, shape (V+1,) * (L+1)."""
    weights, inputs = every_draft(problem)
    return scatter(problem, weights, inputs.draft_tokens, kernel(*inputs))


def scatter(problem: ChainProblem, weights: Array, drafts: Tokens, ends: Ends) -> Array:
    """Add up the ends of weighted drafts by the row they emit."""
    size, length = problem.num_tokens, problem.length
    law = np.zeros((size + 1,) * (length + 1))
    mass = weights[:, np.newaxis, np.newaxis] * ends.stop[..., np.newaxis] * ends.token
    last = np.broadcast_to(np.arange(1, size + 1), (len(drafts), size))
    for kept in range(length + 1):
        # Axes of the law: the kept drafts, the last token, and index 0 for the -1 after it.
        index = np.zeros((length + 1, *last.shape), dtype=np.int64)
        index[:kept] = drafts.T[:kept, :, np.newaxis] + 1
        index[kept] = last
        np.add.at(law, tuple(index), mass[:, kept])
    return law


def pick(rows: NDArray[Entry], tokens: Tokens) -> NDArray[Entry]:
    """Pick the entries of rows (..., V) at tokens (...)."""
    picked: NDArray[Entry] = np.take_along_axis(rows, tokens[..., np.newaxis], axis=-1)[..., 0]
    return picked


def normalised(weights: Array, otherwise: Array) -> Array:
    """Divide rows by their sums; other rows take the place of those whose sum is 0."""
    total = weights.sum(axis=-1, keepdims=True)
    found: Array = np.divide(weights, total, out=otherwise.copy(), where=total > 0)
    return found


def point_mass(law: Array) -> Array:
    """Put all mass on the likeliest token, the first of several."""
    found: Array = np.eye(law.shape[-1])[law.argmax(axis=-1)]
    return found


def sharpened(law: Array) -> Array:
    """Give the law at half the temperature."""
    return normalised(law**2, law)


def _gather(model: TabularModel, drafts: Tokens) -> Array:
    """The rows of a model along each draft, shape (n, horizon, V)."""
    count = len(drafts)
    rows = []
    for position, table in enumerate(model.conditionals):
        row = table[tuple(drafts[:, :position].T)]
        rows.append(np.broadcast_to(row, (count, table.shape[-1])))
    return np.stack(rows, axis=1)
