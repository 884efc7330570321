"""Ragged batches: what stands in the place of drafts that a row does not have, and who overlooks it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from specproof.conformance.problems.drawing import Tokens
from specproof.conformance.subject.failures import InvalidOutput
from specproof.conformance.subject.sampler_under_test import Subject, to_numpy
from specproof.theory.distribution import Array

if TYPE_CHECKING:
    from specproof.conformance.problems.problem import Inputs, VerifierProblem

OVERLOOKED, LOOKED_AT_AGAIN = 64, 1024
"""Trials in which a sampler is asked whether it tells padding from tokens; in most of them some is padded. One that
seems not to is asked again in more, as what the last token does may be what is drawn nearly always."""
AGAIN = 1 / 16
"""The share of the longest call that asking again may take: of slow samplers, the first answer is the last."""


def pad(inputs: Inputs, places: Tokens, length: int) -> None:
    """Take draft number ``length`` of some rows away: -1 is its token, and laws of no model stand beside it.

    The laws are distributions, as code that computes all rows and picks from them must not fail, and far from the
    target's, as code that emits from them must.
    """
    size = inputs.target_probs.shape[-1]
    inputs.draft_tokens[places, length] = -1
    inputs.target_probs[places, length + 1] = padding_law(size)
    if inputs.draft_probs is not None:
        inputs.draft_probs[places, length] = 1.0 / size


def padding_law(size: int) -> Array:
    """Give what stands in the place of the target's law, shape (V,): each token is twice as likely as the last."""
    law: Array = np.exp2(np.arange(size)) / (2.0**size - 1.0)
    return law


def overlooks_padding(problem: VerifierProblem, subject: Subject, rng: np.random.Generator) -> bool:
    """Whether a sampler takes padding for tokens: it answers as where the last token stands in its place.

    An index of -1 reads the last token's entry, so that this is what a sampler does which knows nothing of padding. If
    it answers the same whatever token stands there, it does not look, and nothing is shown. One whose answers are not
    repeated by the same generator cannot be compared, and is taken for such a one if it breaks the contract.

    Raises
    ------
    Crash
        If it cannot be called with padded rows.
    """
    seems = _takes_for_tokens(problem, subject, max(min(OVERLOOKED, int(subject.longest_call)), 1), rng)
    more = min(LOOKED_AT_AGAIN, int(AGAIN * subject.longest_call))
    if seems and more > OVERLOOKED:
        seems = _takes_for_tokens(problem, subject, more, rng)
    return seems


def _takes_for_tokens(problem: VerifierProblem, subject: Subject, trials: int, rng: np.random.Generator) -> bool:
    padded = problem.inputs(trials, rng)
    tokens, seed = padded.draft_tokens, int(rng.integers(2**63))
    one, again, as_last = (
        _answer(subject, padded._replace(draft_tokens=drafts), seed)
        for drafts in (tokens, tokens, tokens % problem.num_tokens)
    )
    if not _same(one, again):
        try:
            problem.parse(one, padded)
        except InvalidOutput:
            return True
        return False
    if (tokens >= 0).all() or not _same(again, as_last, problem.num_tokens):
        return False
    others = (
        _answer(subject, padded._replace(draft_tokens=np.where(tokens < 0, token, tokens)), seed)
        for token in range(problem.num_tokens - 1)
    )
    return not all(_same(again, other) for other in others)


def _answer(subject: Subject, inputs: Inputs, seed: int) -> Any:
    """Give a copy of what is answered, if it is an array: the next answer may be written into the same one."""
    answer = subject.call(inputs, inputs.trials, seed, f"n = {inputs.trials}, padded rows")
    try:
        return np.array(to_numpy(answer))
    except Exception:  # no array
        return answer


def _same(one: Any, other: Any, modulo: int = 0) -> bool:
    try:
        first, second = (to_numpy(answer) for answer in (one, other))
        return np.array_equal(first % modulo, second % modulo) if modulo else np.array_equal(first, second)
    except Exception:  # no arrays of numbers
        return False
