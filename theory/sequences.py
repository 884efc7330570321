r"""Draft sequences (SpecTr, Sun et al. 2023, Algorithm 3): how many tokens one call of the target yields, exactly.

K sequences of L tokens are drafted independently from one context, and one call of the target scores them all. At each
level a verifier of k drafts selects a token among the next tokens of the k sequences that agree with all that was
emitted since; if none is accepted, the replacement ends the block, and if all L levels pass, a bonus token from the
target does. So a call emits 1 + (accepted length) tokens. K-SEQ at rho*, recursive rejection and whatever reaches the
optimum never replace by a token that was drafted; the rule for one draft may, and the block ends there all the same.

What the sequences hold beyond the emitted tokens is independent of the selections. Hence (context, sequences left) is a
Markov chain, whose step is the law of how many drafts carry the accepted token (``Verifier.agreement``).
"""

from __future__ import annotations

from itertools import islice
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse.csgraph import connected_components

from specproof.theory.chain import Chain, MarkovChain, check_same_size
from specproof.theory.display import shown
from specproof.theory.distribution import Array, as_distribution
from specproof.theory.drafts import one_num_drafts
from specproof.theory.errors import InvalidInput
from specproof.theory.integers import positive_integer
from specproof.theory.rejections.walk import EMPTY, advance, walk
from specproof.theory.verifiers import VERIFIERS, Verifier

MOST_SEQUENCES = 256
"""At most this many draft sequences are priced: memory grows with the cube of their number."""

LONGEST_BLOCK = 100_000
"""At most this many levels are priced: the work grows with their number."""


def block_efficiency(
    draft: Chain,
    target: Chain,
    num_drafts: int,
    length: int,
    verifier: str | Verifier,
    context: ArrayLike | None = None,
) -> float:
    r"""Expected tokens per call of the target, :math:`1 + \sum_{n=1}^L P(\text{accepted length} \ge n)`.

    Arguments and errors are those of :func:`accepted_length_law`, the result lies in [1, L + 1]. With one draft and
    acceptances that do not depend on the context it is :func:`~specproof.theory.draft_length.expected_tokens`.
    ([1]_, Section 5, block efficiency.)

    References
    ----------
    .. [1] Z. Sun et al. SpecTr: Fast Speculative Decoding via Optimal Transport. NeurIPS 2023, arXiv:2310.15141.

    Examples
    --------
    >>> from specproof import MarkovChain, block_efficiency
    >>> draft, target = (MarkovChain([0.5, 0.5], [row] * 2, 3) for row in ([0.5, 0.5], [0.25, 0.75]))
    >>> block_efficiency(draft, target, num_drafts=1, length=2, verifier="single")
    2.75
    """
    return float(_reaching(draft, target, num_drafts, length, verifier, context).sum())


def accepted_length_law(
    draft: Chain,
    target: Chain,
    num_drafts: int,
    length: int,
    verifier: str | Verifier,
    context: ArrayLike | None = None,
) -> Array:
    r"""The law of the accepted length of one call, shape (L+1,).

    Parameters
    ----------
    draft, target : MarkovChain or TabularModel
        Both of one kind and horizon.
    num_drafts : int
        K >= 1 sequences.
    length : int
        L >= 1 tokens each.
    verifier : str or Verifier
        A name in :data:`specproof.theory.verifiers.VERIFIERS`.
    context : array_like, shape (V,), optional
        Law of the last token before the block, for Markov chains with one transition matrix each: the block's tokens
        all come from the matrices, and the horizon plays no part. By default the block starts the sequence: its first
        token follows the initial laws, and it has to fit into the horizon with its bonus token.

    Raises
    ------
    InvalidInput
        If the models differ in kind, size or horizon, the horizon is below L + 1, the verifier has no such name, a
        number is not an integer >= 1, or a context is given that is not a distribution or not for such chains.

    Examples
    --------
    >>> from specproof import MarkovChain, accepted_length_law
    >>> draft, target = (MarkovChain([0.5, 0.5], [row] * 2, 3) for row in ([0.5, 0.5], [0.25, 0.75]))
    >>> accepted_length_law(draft, target, num_drafts=1, length=2, verifier="single").tolist()
    [0.0, 0.25, 0.75]
    """
    reaching = _reaching(draft, target, num_drafts, length, verifier, context)
    # The chance to reach a level never rises, but for rounding.
    law: Array = np.maximum(reaching - np.append(reaching[1:], 0.0), 0.0)
    return law


class LongRun(NamedTuple):
    """What calls yield on one text when they follow each other for long.

    Examples
    --------
    >>> from specproof import MarkovChain, long_run
    >>> chain = MarkovChain([0.5, 0.5], [[0.5, 0.5], [0.25, 0.75]], horizon=2)
    >>> other = MarkovChain([0.5, 0.5], [[0.25, 0.75], [0.5, 0.5]], horizon=2)
    >>> round(long_run(chain, other, 1, 1, "single").efficiency, 9)
    1.75
    """

    efficiency: float
    """The long-run average of the tokens per call."""
    contexts: Array
    """The stationary law of the last token before a call has shape (V,)."""
    by_context: Array
    """The expected tokens of a call given that token have shape (V,)."""


def long_run(
    draft: MarkovChain, target: MarkovChain, num_drafts: int, length: int, verifier: str | Verifier
) -> LongRun:
    r"""Tokens per call in the long run: :func:`block_efficiency` under the stationary law of the contexts of calls.

    Each call starts after the last token of the one before. These tokens form a Markov chain themselves, of stationary
    law :math:`\pi`; by the law of large numbers tokens per call tend to :math:`\sum_c \pi_c E[\text{tokens} | c]`,
    wherever the text started. It is not the stationary law of the target: where a call ends depends on what is likely
    to be rejected.

    Parameters
    ----------
    draft, target : MarkovChain
        With one transition matrix each; initial laws and horizons play no part.
    num_drafts, length, verifier
        As of :func:`accepted_length_law`.

    Raises
    ------
    InvalidInput
        As :func:`accepted_length_law`, or if the contexts of calls fall into several closed classes, so that the limit
        may depend on where the text starts.

    Examples
    --------
    >>> from specproof import MarkovChain, long_run
    >>> draft, target = (MarkovChain([0.5, 0.5], [row] * 2, 2) for row in ([0.5, 0.5], [0.25, 0.75]))
    >>> long_run(draft, target, 1, 2, "single").contexts.tolist()
    [0.140625, 0.859375]
    """
    count, levels, rule = _checked(draft, target, num_drafts, length, verifier)
    proposal, law = _homogeneous(draft, "draft"), _homogeneous(target, "target")
    steps = [(rule.law(proposal, law, k), rule.agreement(proposal, law, k)) for k in range(1, count + 1)]
    # Backwards from the bonus token; entry k-1 is for k sequences left, rows are contexts.
    tokens, last = [np.ones(law.shape[0])] * count, [law] * count
    for _ in range(levels):
        later_tokens, later_last = np.stack(tokens, axis=-1), np.stack(last, axis=1)
        tokens, last = [], []
        for k, (selection, agreement) in enumerate(steps, start=1):
            ends = (1.0 - selection.acceptance)[:, np.newaxis] * selection.residual
            tokens.append(1.0 + np.einsum("cij,ij->c", agreement, later_tokens[:, :k]))
            last.append(ends + np.tensordot(agreement, later_last[:, :k], axes=2))
    contexts = _stationary(last[-1])
    return LongRun(float(contexts @ tokens[-1]), contexts, tokens[-1])


def _reaching(
    draft: Chain, target: Chain, num_drafts: int, length: int, verifier: str | Verifier, context: ArrayLike | None
) -> Array:
    """P(accepted length >= n) for n = 0..L."""
    count, levels, rule = _checked(draft, target, num_drafts, length, verifier)

    def agreements(proposal: Array, law: Array) -> list[Array]:
        return [rule.agreement(proposal, law, k) for k in range(1, count + 1)]

    if context is None:
        if target.horizon <= levels:
            raise InvalidInput(
                f"length is {levels} but the models have horizon {target.horizon}: "
                f"a block and its bonus token need a horizon of {levels + 1}"
            )
        measure = EMPTY
        steps = [found for _, found in islice(walk(draft, target, agreements), levels)]
    else:
        measure = as_distribution(context, "context")
        proposal, law = _homogeneous(draft, "draft"), _homogeneous(target, "target")
        if measure.shape != law.shape[:1]:
            raise InvalidInput(f"context has shape {measure.shape}: it must be {law.shape[:1]}, one law of a token")
        steps = [agreements(proposal, law)] * levels

    left, reaching = [np.zeros_like(measure)] * (count - 1) + [measure], [1.0]
    for step in steps:
        left = [
            np.sum([advance(target, left[k], step[k][..., j]) for k in range(j, count)], axis=0) for j in range(count)
        ]
        reaching.append(float(np.sum(left)))
    return np.array(reaching)


def _stationary(kernel: Array) -> Array:
    """The stationary law of a transition matrix with one closed class, subtraction-free (Grassmann et al. 1985)."""
    number, label = connected_components(kernel > 0, connection="strong")
    closed = [c for c in range(number) if not np.any(kernel[np.ix_(label == c, label != c)] > 0)]
    if len(closed) > 1:
        where = [int(np.flatnonzero(label == c)[0]) for c in closed]
        raise InvalidInput(
            f"draft and target leave the last tokens of calls in {len(closed)} closed classes, with {where} in "
            "different ones: no long run is shared by all starts, so ask block_efficiency with a context"
        )
    inside = np.flatnonzero(label == closed[0])
    reduced = kernel[np.ix_(inside, inside)]
    for n in range(inside.size - 1, 0, -1):
        leaving = reduced[n, :n].sum()
        if leaving < np.finfo(np.float64).tiny:
            raise InvalidInput(
                f"draft and target leave token {inside[n]} as the context of a call with probability {leaving:.3g}, "
                "below the smallest normal float: raise the tiny transition probabilities, or set them to 0"
            )
        reduced[:n, n] /= leaving
        reduced[:n, :n] += np.outer(reduced[:n, n], reduced[n, :n])
    weights = np.zeros(kernel.shape[0])
    weights[inside[0]] = 1.0
    for n in range(1, inside.size):
        weights[inside[n]] = weights[inside[:n]] @ reduced[:n, n]
        weights /= weights.sum()  # each time, so that no product of large odds overflows
    return weights


def _homogeneous(model: Chain, name: str) -> Array:
    if isinstance(model, MarkovChain) and model.transitions.ndim == 2:
        return model.transitions
    raise InvalidInput(
        f"{name} is not a MarkovChain with one transition matrix: only then does a context say how the text goes on"
    )


def _checked(
    draft: Chain, target: Chain, num_drafts: int, length: int, verifier: str | Verifier
) -> tuple[int, int, Verifier]:
    check_same_size(draft, target)
    count = one_num_drafts(num_drafts)
    steps = positive_integer(length, "length")
    for name, number, most in (("num_drafts", count, MOST_SEQUENCES), ("length", steps, LONGEST_BLOCK)):
        if number > most:
            raise InvalidInput(f"{name} is {shown(number)}: draft sequences are priced up to {name} {most}")
    return count, steps, verifier if isinstance(verifier, Verifier) else VERIFIERS.named(verifier)
