"""Defects of verifiers of several drafts for one position."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

from specproof.conformance.defects.defect import Defect
from specproof.conformance.defects.rules import normalised, pick, quotient, residual
from specproof.conformance.problems import Contract, MultiProblem, Tokens
from specproof.conformance.problems.drafting import chance_of
from specproof.simulations.samplers.inversion import invert
from specproof.theory.distribution import Array
from specproof.theory.verifiers.kseq.factor import division_factor
from specproof.theory.verifiers.kseq.law import mean_tries


class Choice(NamedTuple):
    """What becomes of n sets of k drafts, given the drafts."""

    accept: Array
    """The probability that the draft in place j is the accepted one, shape (n, k)."""
    replacement: Array
    """The law of the token that is emitted if none is, shape (n, V)."""


ChoiceKernel = Callable[[Array, Array, Tokens], Choice]
"""``kernel(draft_probs (n, V), target_probs (n, V), draft_tokens (n, k))``."""


def chosen_law(problem: MultiProblem, kernel: ChoiceKernel) -> Array:
    """Give the emitted law, shape (2, V), by going through all V^k drafts."""
    size, count = problem.num_tokens, problem.num_drafts
    drafts = np.indices((size,) * count).reshape(count, -1).T
    draft, target = (np.broadcast_to(row, (len(drafts), size)) for row in (problem.draft, problem.target))
    weights = chance_of(problem.drafting, draft, drafts)
    choice = kernel(draft, target, drafts)
    law = np.zeros((2, size))
    np.add.at(law[1], drafts, weights[:, np.newaxis] * choice.accept)
    law[0] = (weights * (1.0 - choice.accept.sum(axis=1))) @ choice.replacement
    return law


def choice_sampler(kernel: ChoiceKernel) -> Callable[..., tuple[Tokens, Tokens]]:
    """Draw which draft is accepted, if any, and the replacement."""

    def verify(
        draft_probs: Array, target_probs: Array, draft_tokens: Tokens, rng: np.random.Generator
    ) -> tuple[Tokens, Tokens]:
        choice = kernel(draft_probs, target_probs, draft_tokens)
        count = draft_tokens.shape[1]
        # A uniform number past the last sum is a rejection of all.
        place = (np.cumsum(choice.accept, axis=1) <= rng.random((len(draft_tokens), 1))).sum(axis=1)
        replaced = invert(choice.replacement, rng.random(len(draft_tokens)))
        kept = pick(draft_tokens, np.minimum(place, count - 1))
        return np.where(place < count, kept, replaced), np.where(place < count, place, -1)

    return verify


def in_turn(tests: Array) -> Array:
    """Give the probability that the first test passed is that of place j, for independent tests (n, k)."""
    missed = np.cumprod(1.0 - tests, axis=1)
    law: Array = tests * np.concatenate([np.ones((len(tests), 1)), missed[:, :-1]], axis=1)
    return law


def _tests(draft: Array, target: Array, drafts: Tokens) -> Array:
    """Give min(1, q/p) of every draft."""
    return np.stack([quotient(draft, target, column) for column in drafts.T], axis=1)


def _old_target(draft: Array, target: Array, drafts: Tokens) -> Choice:
    return Choice(in_turn(_tests(draft, target, drafts)), residual(draft, target, drafts))


def _kseq(draft: Array, target: Array, drafts: Tokens, rho: Array, tries: float | None = None) -> Choice:
    divided = target / rho[:, np.newaxis]
    once = np.minimum(draft, divided)
    beta = np.minimum(once.sum(axis=1), 1.0)
    expected = mean_tries(beta, drafts.shape[1]) if tries is None else np.full(len(beta), tries)
    left = np.maximum(target - once * expected[:, np.newaxis], 0.0)
    return Choice(in_turn(_tests(draft, divided, drafts)), normalised(left, target))


def _kseq_undivided(draft: Array, target: Array, drafts: Tokens) -> Choice:
    return _kseq(draft, target, drafts, np.ones(len(draft)))


def _kseq_single_residual(draft: Array, target: Array, drafts: Tokens) -> Choice:
    return _kseq(draft, target, drafts, division_factor(draft, target, drafts.shape[1]), tries=1.0)


def _always_first(_draft: Array, target: Array, drafts: Tokens) -> Choice:
    accept = np.zeros(drafts.shape)
    accept[:, 0] = 1.0
    return Choice(accept, target)


def _likeliest(draft: Array, target: Array, drafts: Tokens) -> Choice:
    """Verify the draft that the target likes best as if it were the only one."""
    place = target[np.arange(len(drafts))[:, np.newaxis], drafts].argmax(axis=1)
    token = pick(drafts, place)
    accept = np.zeros(drafts.shape)
    accept[np.arange(len(drafts)), place] = quotient(draft, target, token)
    return Choice(accept, residual(draft, target, token))


def _own_draw_each(_draft: Array, target: Array, drafts: Tokens) -> Choice:
    """Compare every draft with a target draw of its own; if none is equal, emit the first of these draws."""
    tests = np.stack([pick(target, column) for column in drafts.T], axis=1)
    unequal = target.copy()
    np.put_along_axis(unequal, drafts[:, :1], 0.0, axis=-1)
    return Choice(in_turn(tests), normalised(unequal, target))


def recursive_kernel(draft: Array, target: Array, drafts: Tokens, *, skip: bool = False, final: bool = True) -> Choice:
    """Test the drafts in turn, each against what those before it left of the target: recursive rejection.

    Parameters
    ----------
    skip : bool
        Leave out drafts that have been rejected already, as if their rejection said nothing.
    final : bool
        Replace from what all drafts left; else from the target.
    """
    left, tests = target, np.zeros(drafts.shape)
    for place, column in enumerate(drafts.T):
        seen = (drafts[:, :place] == column[:, np.newaxis]).any(axis=1) if skip else np.zeros(len(drafts), dtype=bool)
        tests[:, place] = np.where(seen, 0.0, quotient(draft, left, column))
        left = np.where(seen[:, np.newaxis], left, residual(draft, left, column))
    return Choice(in_turn(tests), left if final else target)


def _of_kernel(name: str, title: str, kernel: ChoiceKernel, needs: str, witness: str, *threads: str) -> Defect:
    return Defect(
        name, title, Contract.MULTI, choice_sampler(kernel), partial(chosen_law, kernel=kernel), needs, witness, threads
    )


SIBLINGS = "two drafts or more"

MULTI_DEFECTS: tuple[Defect, ...] = (
    _of_kernel(
        "siblings-against-old-target",
        "every draft is tested against q, not against what the rejected ones left of it",
        _old_target,
        SIBLINGS,
        "three tokens, k = 2",
    ),
    _of_kernel("kseq-undivided", "K-SEQ with rho = 1, below rho*", _kseq_undivided, SIBLINGS, "five tokens, k = 3"),
    _of_kernel(
        "kseq-single-residual",
        "K-SEQ with the residual of one draft",
        _kseq_single_residual,
        SIBLINGS,
        "five tokens, k = 3",
    ),
    _of_kernel(
        "always-first", "the first draft is accepted without a test", _always_first, "p != q", "three tokens, k = 2"
    ),
    _of_kernel(
        "likeliest-draft",
        "the draft that q likes best is verified as if it were the only one",
        _likeliest,
        SIBLINGS,
        "three tokens, k = 2",
    ),
    _of_kernel(
        "own-draw-each",
        "every draft is compared with a target draw of its own",
        _own_draw_each,
        SIBLINGS,
        "three tokens, k = 2",
        "foundation-model-stack/fms-extras#12",
    ),
    _of_kernel(
        "siblings-replaced-from-target",
        "recursive rejection that replaces from q when all drafts are rejected",
        partial(recursive_kernel, final=False),
        "p != q",
        "three tokens, k = 2",
    ),
    _of_kernel(
        "duplicates-skipped",
        "recursive rejection that passes over a draft equal to a rejected one",
        partial(recursive_kernel, skip=True),
        "three tokens or more, duplicates among the drafts",
        "five tokens, k = 3",
    ),
)
