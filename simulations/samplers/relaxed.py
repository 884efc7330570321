"""Over-acceptance: the samplers whose laws are :func:`specproof.theory.relaxed.decoding_opt` and `uno_sampler`.

Both accept a drafted x with probability min(1, (q(x) + epsilon)/p(x)); they differ in what replaces a rejected one.
(Yin et al. 2024, section 4.)
"""

from __future__ import annotations

from collections.abc import Callable
from numbers import Real

import numpy as np
from array_api_compat import array_namespace
from numpy.typing import ArrayLike

import specproof.theory.distribution as distribution
from specproof.simulations.samplers import single
from specproof.simulations.samplers.inversion import AnyArray, gather, invert
from specproof.simulations.samplers.selection import Selection, SelectionSampler
from specproof.simulations.samplers.single import residual_weights
from specproof.simulations.samplers.trials import try_in_turn
from specproof.theory.errors import InvalidInput
from specproof.theory.ratio import acceptance_ratio


def opt_sampler(epsilon: float) -> SelectionSampler:
    r"""Make the rule that over-accepts by epsilon and resamples from :math:`P^* \propto [q - bp]_+`.

    As b >= min(1, q/p), that is the residual [q - p]+ of the lossless rule, which epsilon = 0 is.
    (Yin et al. 2024, Decoding-OPT.)

    Raises
    ------
    InvalidInput
        If epsilon is not one number, or negative or NaN.

    Examples
    --------
    >>> import numpy as np
    >>> rule = opt_sampler(0.25)
    >>> rule(np.array([0.5, 0.5]), np.array([0.25, 0.75]), np.array([[0]]), np.array([[0.9, 0.5]])).accepted.tolist()
    [0]
    """
    return _verifier(epsilon, residual_weights)


def uno_sampler(epsilon: float) -> SelectionSampler:
    """Make the rule that over-accepts by epsilon and resamples from the target: biased even with epsilon = 0.

    (Yin et al. 2024, Decoding-UNO.)

    Raises
    ------
    InvalidInput
        As :func:`opt_sampler`.

    Examples
    --------
    >>> import numpy as np
    >>> rule = uno_sampler(0.0)
    >>> rule(np.array([0.5, 0.5]), np.array([0.25, 0.75]), np.array([[0]]), np.array([[0.9, 0.1]])).tokens.tolist()
    [0]
    """
    return _verifier(epsilon, _target)


def couple_uno(draft: AnyArray, target: AnyArray, tokens: AnyArray, uniforms: AnyArray) -> AnyArray:
    r"""Draw what UNO emits where OPT rejected the same draft, and emitted ``tokens``: as often as can be the same.

    The two then draw from q and from :math:`P^* \propto [q - p]_+`. A maximal coupling of two laws is what verifies a
    draft of one for the other, so :func:`specproof.simulations.samplers.single.verify` does it.

    Parameters
    ----------
    draft, target : array, shape (n, V)
    tokens : array of int64, shape (n,)
    uniforms : array, shape (n, 2)
        Independent of those that ``tokens`` were drawn with.

    Examples
    --------
    >>> import numpy as np
    >>> draft, target = np.array([[0.5, 0.5]]), np.array([[0.25, 0.75]])
    >>> couple_uno(draft, target, np.array([1]), np.array([[0.8, 0.5]])).tolist()
    [0]
    """
    return _coupled(_optimal(draft, target), target, tokens, uniforms)


def couple_opt(draft: AnyArray, target: AnyArray, tokens: AnyArray, uniforms: AnyArray) -> AnyArray:
    """Draw what OPT emits where UNO rejected the same draft, and emitted ``tokens``: :func:`couple_uno` turned round.

    Examples
    --------
    >>> import numpy as np
    >>> draft, target = np.array([[0.5, 0.5]]), np.array([[0.25, 0.75]])
    >>> couple_opt(draft, target, np.array([0]), np.array([[0.8, 0.5]])).tolist()
    [1]
    """
    return _coupled(target, _optimal(draft, target), tokens, uniforms)


def simulate_opt(
    draft: ArrayLike, target: ArrayLike, epsilon: float, trials: int, rng: np.random.Generator
) -> Selection:
    """Run independent trials of Decoding-OPT on one pair of shape (V,), drafts included: the same rule, compiled.

    Raises
    ------
    InvalidInput
        As :func:`opt_sampler`, or if the two are not distributions over one vocabulary, or trials not an integer >= 1.
    """
    proposal, law = _one_pair(draft, target)
    thresholds = acceptance_ratio(proposal, law + _checked(epsilon))[np.newaxis]
    return try_in_turn(proposal, thresholds, residual_weights(proposal, law), trials, rng)


def simulate_uno(
    draft: ArrayLike, target: ArrayLike, epsilon: float, trials: int, rng: np.random.Generator
) -> Selection:
    """Run independent trials of Decoding-UNO on one pair of shape (V,), drafts included: the same rule, compiled.

    Raises
    ------
    InvalidInput
        As :func:`opt_sampler`, or if the two are not distributions over one vocabulary, or trials not an integer >= 1.
    """
    proposal, law = _one_pair(draft, target)
    thresholds = acceptance_ratio(proposal, law + _checked(epsilon))[np.newaxis]
    return try_in_turn(proposal, thresholds, law, trials, rng)


def _verifier(epsilon: float, resampling: Callable[[AnyArray, AnyArray], AnyArray]) -> SelectionSampler:
    slack = _checked(epsilon)

    def verify(draft: AnyArray, target: AnyArray, drafts: AnyArray, uniforms: AnyArray) -> Selection:
        xp = array_namespace(draft, target, drafts, uniforms)
        # u < (q + epsilon)/p without the division; epsilon = 1 accepts whatever was drafted, as u p < 1.
        accepted = (uniforms[..., :1] * gather(draft, drafts) < gather(target, drafts) + slack)[..., 0]
        # Rejections are few, and the others' rows are long.
        rows = (law if law.ndim == 1 else law[~accepted] for law in (draft, target))
        emitted = xp.asarray(drafts[..., 0], copy=True)
        emitted[~accepted] = invert(resampling(*rows), uniforms[..., 1][~accepted])
        return Selection(emitted, xp.where(accepted, 0, -1))

    return verify


def _optimal(draft: AnyArray, target: AnyArray) -> AnyArray:
    weights = residual_weights(draft, target)
    return weights / weights.sum(axis=-1)[:, None]


def _coupled(drawn_from: AnyArray, wanted: AnyArray, tokens: AnyArray, uniforms: AnyArray) -> AnyArray:
    return single.verify(drawn_from, wanted, tokens[:, None], uniforms).tokens


def _target(draft: AnyArray, target: AnyArray) -> AnyArray:
    del draft
    return target


def _one_pair(draft: ArrayLike, target: ArrayLike) -> tuple[distribution.Array, distribution.Array]:
    proposal, law = distribution.as_pair(draft, target)
    if proposal.ndim != 1:
        raise InvalidInput(f"draft and target have shape {proposal.shape}: give one law each, of shape (V,)")
    return proposal, law


def _checked(epsilon: float) -> float:
    if not isinstance(epsilon, Real) or isinstance(epsilon, bool):
        raise InvalidInput(f"epsilon is {epsilon!r}: it must be one number, at least 0")
    if not epsilon >= 0:
        raise InvalidInput(f"epsilon is {epsilon}: it must be at least 0, where 0 accepts as the lossless rule does")
    return float(epsilon)
