r"""Reach weights: with what probability a call has accepted l drafts, given the text that comes of it.

A *text* :math:`x_1, ..., x_T` is sampled from the target and scored by both models. A call that starts after s tokens
has *reach weight* :math:`v_{s,l}`, the probability that it has accepted at least l drafts given that the text goes on
as it does; :math:`v_{s,0} = 1`. All the rules here are lossless step by step: after l accepted drafts the next token of
the text has the target's law, be it accepted or not. Hence, with :math:`M(x^l)` the probability that the call accepts
just these l drafts,

.. math:: v_l = M(x^l) / q(x^l),

which depends on nothing that follows :math:`x^l`, and the mean of :math:`v_l` over texts of the target is P(accepted
length >= l): no draft is ever drawn. The four functions differ in :math:`M`:

- *one draft sequence, token by token*: :math:`M(x^l) = M(x^{l-1}) \min(p_l, q_l)`;
- *block verification* [1]_ accepts l drafts that are :math:`x^l` with probability
  :math:`w_l = \min(1, w_{l-1} q_l/p_l)`, so :math:`M(x^l) = p(x^l) w_l = \min(p(x^l), M(x^{l-1}) q_l)`, and
  :math:`v_l` is the running minimum of 1 and the cumulative ratios :math:`p(x^l)/q(x^l)`;
- *K draft sequences* [2]_: what :math:`k` sequences that are left do at :math:`x_l` is the verifier's agreement law, a
  Markov chain in the number of sequences left;
- *independent tries by depth*: a product, see :func:`by_depth`.

References
----------
.. [1] Sun et al. 2024, Block Verification Accelerates Speculative Decoding, arXiv 2403.10444.
.. [2] Sun et al. 2023, SpecTr: Fast Speculative Decoding via Optimal Transport, arXiv 2310.15141, Algorithm 3.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from specproof.theory.arrays import as_numbers
from specproof.theory.display import shown
from specproof.theory.distribution import Array
from specproof.theory.drafts import one_num_drafts
from specproof.theory.errors import InvalidInput, first_entry
from specproof.theory.integers import positive_integer, refuse_large_array
from specproof.theory.sum_tolerance import SUM_TOLERANCE

AGREEMENT_TOLERANCE = 1e-4
"""Agreement laws may exceed the target's probability of their token by this share: log-probabilities are rounded."""


def token_by_token(draft_logprobs: ArrayLike, target_logprobs: ArrayLike, length: int) -> Array:
    r"""Reach weights of one draft sequence that is verified token by token, :math:`\prod_{i \le l} \min(1, p_i/q_i)`.

    Parameters
    ----------
    draft_logprobs, target_logprobs : array_like, shape (T,)
        The natural logarithms of the probabilities that either model gives each token of a text of the target, given
        all tokens before it. The draft's may be -inf.
    length : int
        L >= 1 drafts a call.

    Returns
    -------
    array, shape (T, L + 1)
        Row s is for a call that starts after s tokens; 0 where s + l > T.

    Raises
    ------
    InvalidInput
        If the two are not one text's log-probabilities (a number above 0, NaN, different lengths, no token), the
        target's is -inf somewhere, so that the text is not the target's, or the length is not an integer >= 1.

    Examples
    --------
    >>> import numpy as np
    >>> from specproof.theory.texts import token_by_token
    >>> token_by_token(np.log([0.25, 0.5, 0.125]), np.log([0.5, 0.25, 0.25]), length=2).round(12).tolist()
    [[1.0, 0.5, 0.5], [1.0, 1.0, 0.5], [1.0, 0.5, 0.0]]
    """
    ratios = _log_ratios(draft_logprobs, target_logprobs)
    return by_depth(np.exp(np.minimum(ratios, 0.0)), length)


def block_by_block(draft_logprobs: ArrayLike, target_logprobs: ArrayLike, length: int) -> Array:
    r"""Reach weights of block verification: the running minimum of 1 and the cumulative ratios p(x^l)/q(x^l).

    Parameters, result and errors are those of :func:`token_by_token`, below which the result never lies: what the draft
    gives one token too much makes up for what it gives a later one too little.

    Examples
    --------
    >>> import numpy as np
    >>> from specproof.theory.texts import block_by_block
    >>> block_by_block(np.log([0.25, 0.5, 0.125]), np.log([0.5, 0.25, 0.25]), length=3)[:2].round(12).tolist()
    [[1.0, 0.5, 0.5, 0.5], [1.0, 1.0, 1.0, 0.0]]
    """
    ratios = _log_ratios(draft_logprobs, target_logprobs)
    reach, levels = _nothing_reached(ratios.size, length)
    cumulative = np.zeros_like(ratios)
    for level in range(1, levels + 1):
        cumulative = cumulative[: ratios.size - level + 1] + ratios[level - 1 :]
        reach[: cumulative.size, level] = np.minimum(reach[: cumulative.size, level - 1], np.exp(cumulative))
    return reach


def draft_sequences(agreement: ArrayLike, target_logprobs: ArrayLike, num_drafts: int, length: int) -> Array:
    r"""Reach weights of K draft sequences under any verifier, from its agreement laws at the tokens of the text.

    With :math:`u_l(m)` the probability that l drafts have been accepted and m sequences carry them all, given the text,

    .. math:: u_0 = (0, ..., 0, 1), \quad u_l(j) = \sum_k u_{l-1}(k) \frac{a_k(x_l, j)}{q_l}, \quad v_l = \sum_m u_l(m),

    since a level emits with the target's law however many sequences are left. Result as of :func:`token_by_token`.

    Parameters
    ----------
    agreement : array_like, shape (T, N, N)
        Entry [t, k-1, j-1] is the probability that a level with k drafts accepts token t of the text and that exactly j
        of them carry it; 0 where j > k. (``agreement`` of a :class:`~specproof.theory.verifiers.Verifier`, at one
        token.)
    target_logprobs : array_like, shape (T,)
        As of :func:`token_by_token`.
    num_drafts : int
        1 <= K <= N sequences.
    length : int
        L >= 1 tokens each.

    Raises
    ------
    InvalidInput
        As :func:`token_by_token`, if the agreement is of another shape, is negative or NaN or exceeds the target's
        probability of a token, or K is not an integer in 1..N.

    Examples
    --------
    One draft accepts the tokens of this text with probabilities 1/4 and 1/2:

    >>> import numpy as np
    >>> from specproof.theory.texts import draft_sequences
    >>> draft_sequences([[[0.125]], [[0.25]]], np.log([0.5, 0.5]), num_drafts=1, length=2).round(12).tolist()
    [[1.0, 0.25, 0.125], [1.0, 0.5, 0.0]]
    """
    target = _log_probabilities(target_logprobs, "target_logprobs")
    count = one_num_drafts(num_drafts)
    steps = _given_token(agreement, target, count)
    reach, levels = _nothing_reached(target.size, length)
    left = np.zeros((target.size, count))
    left[:, -1] = 1.0
    for level in range(1, levels + 1):
        starts = target.size - level + 1
        left = np.einsum("sk,skj->sj", left[:starts], steps[level - 1 :])
        reach[:starts, level] = np.minimum(left.sum(axis=-1), reach[:starts, level - 1])
    return reach


def by_depth(chances: ArrayLike, length: int) -> Array:
    r"""Reach weights of rules that accept each token independently of how the others were: products of chances.

    The chance of a token is its probability to be accepted, given that all before it were and that it is the next token
    of the text:

    ======================================================  ==========================================================
    tree with k i.i.d. children at each node                accepted probability of the token by the verifier, over q
    tree that holds the draft's b likeliest tokens          1 if the draft's rank of the token is below b, else 0
    exact match with a drawn draft                          p
    exact match with the draft's likeliest token            1 if it is that token, else 0
    ======================================================  ==========================================================

    In the last three the target draws a token of its own, and the call goes on if the tree holds it.

    Parameters
    ----------
    chances : array_like, shape (T,) or (L, T)
        One chance for each token of the text; with two axes, row l-1 holds those at depth l of a call.
    length : int
        L >= 1.

    Returns
    -------
    array, shape (T, L + 1)
        As of :func:`token_by_token`.

    Raises
    ------
    InvalidInput
        If the chances are not in [0, 1] or of another shape, or the length is not an integer >= 1.

    Examples
    --------
    >>> from specproof.theory.texts import by_depth
    >>> by_depth([0.5, 1.0, 0.25], length=2).tolist()
    [[1.0, 0.5, 0.5], [1.0, 1.0, 0.25], [1.0, 0.25, 0.0]]
    """
    levels = positive_integer(length, "length")
    rows = as_chances(chances, levels)
    reach, _ = _nothing_reached(rows.shape[-1], levels)
    for level in range(1, levels + 1):
        chance = rows if rows.ndim == 1 else rows[level - 1]
        starts = chance.size - level + 1
        reach[: max(starts, 0), level] = reach[: max(starts, 0), level - 1] * chance[level - 1 :]
    return reach


def as_chances(chances: ArrayLike, length: int) -> Array:
    """Check the chances of the tokens of one text, of shape (T,) or (length, T).

    Raises
    ------
    InvalidInput
        As :func:`by_depth`.
    """
    rows = as_numbers(chances, "chances")
    if rows.ndim not in (1, 2) or rows.shape[-1] == 0 or rows.shape[:-1] not in ((), (length,)):
        raise InvalidInput(
            f"chances has shape {rows.shape}: it must be (T,) or ({shown(length)}, T), for T >= 1 tokens"
        )
    outside = ~((rows >= 0.0) & (rows <= 1.0))
    if outside.any():
        where, index = first_entry(outside, "chances")
        raise InvalidInput(f"{where} is {rows[index]}: it must be a probability, in [0, 1]")
    return rows


def _nothing_reached(tokens: int, length: int) -> tuple[Array, int]:
    """Weights 1 at no accepted draft and 0 elsewhere, and how many levels a call of this length has within the text."""
    columns = positive_integer(length, "length") + 1
    refuse_large_array("length", length, (tokens, columns))
    reach = np.zeros((tokens, columns))
    reach[:, 0] = 1.0
    return reach, min(columns - 1, tokens)


def _log_ratios(draft_logprobs: ArrayLike, target_logprobs: ArrayLike) -> Array:
    """The logarithm of p/q of every token, -inf where the draft has probability 0."""
    draft = _log_probabilities(draft_logprobs, "draft_logprobs", zero_allowed=True)
    target = _log_probabilities(target_logprobs, "target_logprobs")
    if draft.size != target.size:
        raise InvalidInput(
            f"draft_logprobs has {draft.size} tokens and target_logprobs {target.size}: both must be of one text"
        )
    ratios: Array = draft - target
    return ratios


def _log_probabilities(values: ArrayLike, name: str, zero_allowed: bool = False) -> Array:
    array = as_numbers(values, name)
    if array.ndim != 1 or array.size == 0:
        raise InvalidInput(f"{name} has shape {array.shape}: it must be (T,), one number for each of T >= 1 tokens")
    wrong = ~(array <= SUM_TOLERANCE)
    if wrong.any():
        where, index = first_entry(wrong, name)
        raise InvalidInput(f"{where} is {array[index]}: give natural logarithms of probabilities, which are at most 0")
    if not zero_allowed and (array == -np.inf).any():
        where, _ = first_entry(array == -np.inf, name)
        raise InvalidInput(
            f"{where} is -inf: the text was not sampled from this target at these settings, so score it under those "
            "that it was sampled with"
        )
    return array


def _given_token(agreement: ArrayLike, target: Array, count: int) -> Array:
    """The agreement laws given the tokens of the text, shape (T, K, K); rows sum to at most 1."""
    laws = as_numbers(agreement, "agreement")
    if laws.ndim != 3 or laws.shape[0] != target.size or laws.shape[1] != laws.shape[2] or laws.shape[1] == 0:
        raise InvalidInput(
            f"agreement has shape {laws.shape}: it must be (T, N, N), here with T = {target.size} tokens"
        )
    if count > laws.shape[1]:
        raise InvalidInput(
            f"num_drafts is {shown(count)} and agreement is for up to {laws.shape[1]}: give it for more drafts"
        )
    used = laws[:, :count, :count]
    accepted = used.sum(axis=-1)
    probability = np.exp(np.minimum(target, 0.0))[:, np.newaxis]
    _refuse_agreement(used, accepted, probability)
    # Divided by their own sum where rounding has taken it past q, so that no probability exceeds 1.
    whole = np.maximum(accepted, probability)[..., np.newaxis]
    given: Array = np.divide(used, whole, out=np.zeros_like(used), where=whole > 0)
    return given


def _refuse_agreement(used: Array, accepted: Array, probability: Array) -> None:
    if not (used >= 0.0).all():
        where, index = first_entry(~(used >= 0.0), "agreement")
        raise InvalidInput(f"{where} is {used[index]}: it must be a probability")
    wrong = ~(accepted <= probability * (1.0 + AGREEMENT_TOLERANCE) + AGREEMENT_TOLERANCE**2)
    if wrong.any():
        where, index = first_entry(wrong, "agreement")
        raise InvalidInput(
            f"{where} sums to {accepted[index]:.6g} and the target gives this token {probability[index[0], 0]:.6g}: "
            "give the agreement at the token of the text, of a lossless verifier under the same settings"
        )
