"""Mutations of the token-by-token rule: of its tests, its replacements, and the rows that it uses."""

from __future__ import annotations

import numpy as np

from specproof.conformance.defects.rules import (
    Rows,
    Rule,
    normalised,
    pick,
    point_mass,
    quotient,
    residual,
    sharpened,
    straight,
)
from specproof.conformance.problems import Tokens
from specproof.theory.distribution import Array


def from_target(draft: Array, target: Array, tokens: Tokens) -> Array:
    """Replace from the target."""
    del draft, tokens
    return target


def only_rejected_id(draft: Array, target: Array, tokens: Tokens) -> Array:
    """Subtract p at the rejected id alone."""
    weights = target.copy()
    lowered = np.maximum(pick(target, tokens) - pick(draft, tokens), 0.0)
    np.put_along_axis(weights, tokens[..., np.newaxis], lowered[..., np.newaxis], axis=-1)
    return normalised(weights, target)


def softmax(draft: Array, target: Array, tokens: Tokens) -> Array:
    """Take the softmax of [q - p]+ in the place of its normalisation."""
    del tokens
    weights = np.exp(np.maximum(target - draft, 0.0))
    return normalised(weights, target)


def argmax(draft: Array, target: Array, tokens: Tokens) -> Array:
    """Take the residual's likeliest token."""
    return point_mass(residual(draft, target, tokens))


def always(draft: Array, target: Array, tokens: Tokens) -> Array:
    """Accept every draft."""
    del draft, target
    return np.ones(tokens.shape)


def over_target_maximum(draft: Array, target: Array, tokens: Tokens) -> Array:
    """Accept with q(x) over the largest of q."""
    del draft
    accept: Array = pick(target, tokens) / target.max(axis=-1)
    return accept


def equal_or_ratio(draft: Array, target: Array, tokens: Tokens) -> Array:
    """Accept if an own target draw equals the draft, or the ratio test passes."""
    return 1.0 - (1.0 - pick(target, tokens)) * (1.0 - quotient(draft, target, tokens))


def inverted(draft: Array, target: Array, tokens: Tokens) -> Array:
    """Accept with min(1, p/q)."""
    return quotient(target, draft, tokens)


def iff_larger(draft: Array, target: Array, tokens: Tokens) -> Array:
    """Accept if and only if q(x) >= p(x)."""
    return (pick(target, tokens) >= pick(draft, tokens)).astype(np.float64)


def typical(draft: Array, target: Array, tokens: Tokens) -> Array:
    """Whether q(x) >= min(0.09, 0.3 e^-H), H the entropy of q (Cai et al. 2024, arXiv 2401.10774)."""
    del draft
    with np.errstate(divide="ignore", invalid="ignore"):
        entropy = -np.where(target > 0, target * np.log(target), 0.0).sum(axis=-1)
    accept: Array = (pick(target, tokens) >= np.minimum(0.09, 0.3 * np.exp(-entropy))).astype(np.float64)
    return accept


def greedy_replacement(draft: Array, target: Array, tokens: Tokens) -> Array:
    """Replace by the target's likeliest token."""
    del draft, tokens
    return point_mass(target)


def after_residual(draft: Array, target: Array, tokens: Tokens) -> Array:
    """The target's row has been overwritten with [q - p]+ when the test reads it."""
    return quotient(draft, np.maximum(target - draft, 0.0), tokens)


def inclusive_coarse_uniform(draft: Array, target: Array, tokens: Tokens) -> Array:
    """Accept if a uniform of 256 equally likely values, 0 among them, is at most the ratio."""
    accept: Array = np.minimum((np.floor(256 * quotient(draft, target, tokens)) + 1) / 256, 1.0)
    return accept


def twice_the_ratio(draft: Array, target: Array, tokens: Tokens) -> Array:
    """A threshold of one half on the ratio, in place of 1."""
    return quotient(draft, 2.0 * target, tokens)


def first_unverified(draft: Array, target: Array, tokens: Tokens) -> Array:
    """Accept the first draft without a test."""
    accept = quotient(draft, target, tokens)
    accept[:, 0] = 1.0
    return accept


def blended_target(draft: Array, target: Array) -> Rows:
    """Verify against the mean of q and p."""
    return Rows(draft, 0.5 * (target[:, :-1] + draft), target[:, -1])


def greedy_target(draft: Array, target: Array) -> Rows:
    """Put all of the target's mass on its likeliest token."""
    return straight(draft, point_mass(target))


def sharpened_target(draft: Array, target: Array) -> Rows:
    """Take the target at half the temperature."""
    return straight(draft, sharpened(target))


def other_vocabulary(draft: Array, target: Array) -> Rows:
    """The draft's probabilities are those of the ids one lower."""
    return Rows(np.roll(draft, 1, axis=-1), target[:, :-1], target[:, -1])


def mask_on_bonus_alone(draft: Array, target: Array) -> Rows:
    """Where the target is 0 the verified rows have as much as the draft: a mask that both models would need."""
    unmasked = normalised(np.where(target > 0, target, 0.0)[:, :-1] + np.where(target[:, :-1] > 0, 0.0, draft), draft)
    return Rows(draft, unmasked, target[:, -1])


def stale_bonus(draft: Array, target: Array) -> Rows:
    """Draw the bonus token from the row before its own."""
    return Rows(draft, target[:, :-1], target[:, -2])


def next_row(draft: Array, target: Array) -> Rows:
    """Verify every draft against the target row after its own."""
    return Rows(draft, target[:, 1:], target[:, -1])


def unshifted_draft(draft: Array, target: Array) -> Rows:
    """The draft row of the first position for all of them."""
    return Rows(np.broadcast_to(draft[:, :1], draft.shape), target[:, :-1], target[:, -1])


def plain_bonus(draft: Array, target: Array) -> Rows:
    """The bonus row is at another temperature."""
    return Rows(draft, target[:, :-1], sharpened(target[:, -1]))


REPLACED_FROM_TARGET = Rule(replace=from_target)
ALWAYS_ACCEPTED = Rule(test=always)
GREEDY_TARGET = Rule(wire=greedy_target)
SHARPENED_TARGET = Rule(wire=sharpened_target)
STALE_BONUS = Rule(wire=stale_bonus)
TYPICAL = Rule(test=typical, replace=greedy_replacement)
