r"""Lossy rules for one drafted token: what they emit, exactly, and the best that a bias in KL can buy.

=========================  =============================================================================================
``typical_acceptance``     Medusa: kept if :math:`q(x) > \min(\epsilon, \delta e^{-H(q)})`
``relaxed_top``            TensorRT-LLM: kept if among the k likeliest of q and :math:`q(x) \ge \max q - \delta`
``two_thresholds``         SGLang: kept with chance :math:`\min(1, q(x)/t_{acc})`, and at once if :math:`q(x) \ge t`
``ensemble_verification``  lossless for the mixture :math:`(1 - w) q + w p` in place of q
``kl_optimal``             lossless for h = p clipped to [a q, b q], the best under a bound on :math:`KL(h \| q)`
=========================  =============================================================================================

What is not kept is replaced by a token of the target, by two thresholds without the one refused.

*The best under KL.* A rule that emits h accepts at most :math:`\sum \min(p, h)`, which is concave, and
:math:`KL(h \| q)` is convex in h. Where h < p the Lagrangian is stationary at one ratio h/q = b, where h > p at
another, a, with :math:`a \le b`; between them h = p. So h is p clipped to [a q, b q], with :math:`a \le 1 \le b` as
its sum is 1.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq

from specproof.theory.display import shown
from specproof.theory.distribution import Array, as_single_pair
from specproof.theory.errors import InvalidInput
from specproof.theory.integers import positive_integer
from specproof.theory.numbers import finite_number, positive_share, probability

WIDEST = 512.0
"""Between the logarithms of a and b there is at most so much: e to its power is a float."""


class LossyLaw(NamedTuple):
    """The exact law of a rule at one position.

    Examples
    --------
    >>> law = ensemble_verification([0.5, 0.5], [0.25, 0.75], 0.5)
    >>> law.output.tolist(), law.rejection, law.tv
    ([0.375, 0.625], 0.125, 0.125)
    """

    output: Array
    """The emitted token has this law, shape (V,)."""
    rejection: float
    """The draft is rejected with this probability."""
    tv: float
    """The total variation distance of the output from the target."""
    kl: float
    """KL(output || target) in nats; infinite where something is emitted that the target never is."""


def typical_acceptance(draft: ArrayLike, target: ArrayLike, epsilon: float, delta: float) -> LossyLaw:
    """Typical acceptance, with a token of the target where the draft is not kept.

    Parameters
    ----------
    draft, target : array_like, shape (V,)
    epsilon, delta : float
        In (0, 1]; Medusa takes 0.09 and 0.3.

    Raises
    ------
    InvalidInput
        If an argument is not one distribution, the two do not match, or a number is not in (0, 1].

    Examples
    --------
    >>> typical_acceptance([0.5, 0.5], [0.125, 0.875], 0.25, 1.0).output.tolist()
    [0.0625, 0.9375]
    """
    proposal, law = as_single_pair(draft, target, "typical_acceptance")
    bound, share = positive_share(epsilon, "epsilon"), positive_share(delta, "delta")
    entropy = -float((law[law > 0] * np.log(law[law > 0])).sum())
    kept = law > min(bound, share * float(np.exp(-entropy)))
    return _replaced(proposal, law, kept.astype(float))


def relaxed_top(draft: ArrayLike, target: ArrayLike, count: int, delta: float) -> LossyLaw:
    """Relaxed acceptance of the target's likeliest tokens, with a token of the target where the draft is not kept.

    Parameters
    ----------
    draft, target : array_like, shape (V,)
    count : int
        k >= 1.
    delta : float
        In [0, 1].

    Raises
    ------
    InvalidInput
        As :func:`typical_acceptance`, or if k is not an integer >= 1 or delta not in [0, 1].

    Examples
    --------
    >>> relaxed_top([0.5, 0.5], [0.375, 0.625], 2, 0.25).output.tolist()
    [0.5, 0.5]
    """
    proposal, law = as_single_pair(draft, target, "relaxed_top")
    most, gap = positive_integer(count, "count"), probability(delta, "delta")
    rank = np.argsort(np.argsort(-law, kind="stable"), kind="stable")
    return _replaced(proposal, law, ((rank < most) & (law >= law.max() - gap)).astype(float))


def two_thresholds(draft: ArrayLike, target: ArrayLike, single: float, accumulated: float) -> LossyLaw:
    r"""SGLang's two thresholds for one candidate; at 1 and 1 it is exact match, which is lossless.

    Parameters
    ----------
    draft, target : array_like, shape (V,)
    single, accumulated : float
        In (0, 1]. The draft is kept at once if q(x) is at least the first, and else with min(1, q(x) / second).

    Raises
    ------
    InvalidInput
        As :func:`typical_acceptance`.

    Examples
    --------
    >>> two_thresholds([0.5, 0.5], [0.25, 0.75], 1.0, 1.0).output.tolist()
    [0.25, 0.75]
    >>> two_thresholds([0.5, 0.5], [0.25, 0.75], 0.75, 1.0).output.tolist()
    [0.125, 0.875]
    """
    proposal, law = as_single_pair(draft, target, "two_thresholds")
    least, scale = positive_share(single, "single"), positive_share(accumulated, "accumulated")
    kept = np.where(law >= least, 1.0, np.minimum(law, scale) / scale)
    refused = proposal * (1.0 - kept)
    weights = np.divide(refused, 1.0 - law, out=np.zeros_like(law), where=law < 1.0)
    output = proposal * kept + law * (weights.sum() - weights)
    return _law(output, float(refused.sum()), law)


def ensemble_verification(draft: ArrayLike, target: ArrayLike, weight: float) -> LossyLaw:
    """Verify losslessly for the mixture (1 - w) q + w p.

    Parameters
    ----------
    draft, target : array_like, shape (V,)
    weight : float
        w in [0, 1].

    Raises
    ------
    InvalidInput
        As :func:`typical_acceptance`, or if the weight is not in [0, 1].

    Examples
    --------
    >>> ensemble_verification([0.5, 0.5], [0.25, 0.75], 0.0).rejection
    0.25
    """
    proposal, law = as_single_pair(draft, target, "ensemble_verification")
    share = probability(weight, "weight")
    return _verified(proposal, law, (1.0 - share) * law + share * proposal)


def kl_optimal(draft: ArrayLike, target: ArrayLike, divergence: float) -> LossyLaw:
    r"""The rule that accepts most among those whose output has at most so much :math:`KL(h \| q)`.

    Parameters
    ----------
    draft, target : array_like, shape (V,)
        Where the target is 0 so is the output.
    divergence : float
        The bound on KL in nats, at least 0.

    Raises
    ------
    InvalidInput
        As :func:`typical_acceptance`, or if the divergence is not a number >= 0.

    Examples
    --------
    >>> law = kl_optimal([0.5, 0.5], [0.25, 0.75], 0.05)
    >>> law.output.round(4).tolist(), round(law.kl, 9)
    ([0.394, 0.606], 0.05)
    """
    proposal, law = as_single_pair(draft, target, "kl_optimal")
    most = finite_number(divergence, "divergence")
    if most < 0:
        raise InvalidInput(f"divergence is {shown(divergence)}: it must be at least 0, in nats")
    widest = 1.0
    while widest < WIDEST and _divergence(clipped_law(proposal, law, widest), law) <= most:
        widest *= 2.0

    def beyond(width: float) -> float:
        return _divergence(clipped_law(proposal, law, width), law) - most

    if beyond(0.0) >= 0.0:  # no more than rounding is allowed
        return _verified(proposal, law, law)
    if beyond(widest) <= 0.0:
        return _verified(proposal, law, clipped_law(proposal, law, widest))
    width = brentq(beyond, 0.0, widest, xtol=1e-15, rtol=1e-15)
    while beyond(width) > 0.0:  # the bound is kept whatever the rounding
        width *= 1.0 - 1e-12
    return _verified(proposal, law, clipped_law(proposal, law, width))


def clipped_law(draft: Array, target: Array, width: float) -> Array:
    """The law p clipped to [a q, b q] whose sum is 1, with so much between the logarithms of a and b.

    Examples
    --------
    >>> clipped_law(np.array([0.5, 0.5]), np.array([0.25, 0.75]), 0.0).round(12).tolist()
    [0.25, 0.75]
    """

    def clipped(lower: float) -> Array:
        law: Array = np.clip(draft, np.exp(lower) * target, np.exp(lower + width) * target)
        return law

    # The sum rises in a from at most that of the target, where b is 1, to at least that, where a is 1.
    lower = brentq(lambda point: clipped(point).sum() - 1.0, -width - 1e-9, 1e-9, xtol=1e-15, rtol=1e-15)
    found: Array = clipped(lower)
    found /= found.sum()
    return found


def _replaced(draft: Array, target: Array, kept: Array) -> LossyLaw:
    refused = float((draft * (1.0 - kept)).sum())
    return _law(draft * kept + refused * target, refused, target)


def _verified(draft: Array, target: Array, output: Array) -> LossyLaw:
    return _law(output, float(np.maximum(draft - output, 0.0).sum()), target)


def _law(output: Array, rejection: float, target: Array) -> LossyLaw:
    return LossyLaw(output, rejection, 0.5 * float(np.abs(output - target).sum()), _divergence(output, target))


def _divergence(output: Array, target: Array) -> float:
    """KL(output || target) in nats."""
    some = output > 0
    if np.any(target[some] == 0):
        return float("inf")
    return max(float((output[some] * (np.log(output[some]) - np.log(target[some]))).sum()), 0.0)
