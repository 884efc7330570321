"""Drafts without replacement: an exponential race in which the first k to arrive are the drafts."""

from __future__ import annotations

from array_api_compat import array_namespace

from specproof.simulations.samplers.inversion import AnyArray
from specproof.theory.errors import InvalidInput


def draw_distinct(draft: AnyArray, num_drafts: int, uniforms: AnyArray) -> AnyArray:
    r"""Draw k distinct tokens in turn, each from the draft law without those before it, renormalised.

    Token i arrives at a time of law Exp(p_i); the order of arrivals is that of the draws. With Gumbel variables in
    place of the logarithms of the times, it is known as the Gumbel-top-k trick. (Kool et al. 2019, arXiv 1903.06059.)

    Parameters
    ----------
    draft : array, shape (V,) or (..., V)
        Trusted to be distributions with k tokens of positive probability; a token of probability 0 comes last.
    num_drafts : int
    uniforms : array, shape (..., V)
        Independent numbers in [0, 1), one for each token.

    Returns
    -------
    array of int64, shape (..., k)

    Raises
    ------
    InvalidInput
        If k exceeds the number of tokens.

    Examples
    --------
    >>> import numpy as np
    >>> draw_distinct(np.array([0.5, 0.25, 0.25]), 2, np.array([0.5, 0.5, 0.25])).tolist()
    [2, 0]
    """
    xp = array_namespace(draft, uniforms)
    refuse_many(num_drafts, draft.shape[-1])
    possible = draft > 0
    # In logarithms, as a time over a probability of 1e-310 would be infinite like that of an impossible token.
    times = xp.log(-xp.log1p(-xp.where(uniforms > 0, uniforms, 2.0**-64)))
    arrivals = xp.where(possible, times - xp.log(xp.where(possible, draft, 1.0)), xp.inf)
    return xp.argsort(arrivals, axis=-1)[..., :num_drafts]


def refuse_many(num_drafts: int, tokens: int) -> None:
    """Refuse more distinct drafts than there are tokens.

    Raises
    ------
    InvalidInput
        If they are more.

    Examples
    --------
    >>> refuse_many(num_drafts=2, tokens=2)
    """
    if num_drafts > tokens:
        raise InvalidInput(f"num_drafts is {num_drafts}, and {tokens} tokens have no more distinct drafts: draft fewer")
