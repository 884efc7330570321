"""Probability distributions over a vocabulary: the door every array comes in by.

Notation: ``draft`` is the cheap proposal law p, ``target`` the law q to be preserved, both over a vocabulary of V
tokens on the last axis; leading axes broadcast.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from specproof.theory.arrays import as_real, as_rows
from specproof.theory.display import shown
from specproof.theory.errors import InvalidInput
from specproof.theory.generators import check_generator
from specproof.theory.integers import natural_number, positive_integer, refuse_large_array
from specproof.theory.normalised_row import normalised_row
from specproof.theory.numbers import finite_number, positive_number, probability
from specproof.theory.refused_rows import refuse_distribution
from specproof.theory.sampling_settings import SamplingSettings
from specproof.theory.sum_tolerance import sum_tolerance

Array = NDArray[np.float64]

ONE_VOCABULARY = (
    "both must be over one vocabulary: remap its ids, or pad the shorter, probabilities by 0 and logits by -inf"
)
"""What to do about a draft and a target that differ in their number of tokens."""


def as_distribution(values: ArrayLike, name: str = "distribution") -> Array:
    """Check rows of probabilities once and return them as float64, normalised.

    Parameters
    ----------
    values : array_like, shape (..., V)
        Probabilities, V >= 1, of any real dtype. Each row must sum to 1 within
        :func:`~specproof.theory.sum_tolerance.sum_tolerance`: 1e-6 in float64, and what softmaxes in float32,
        bfloat16 and float16 lose by rounding. The returned rows are divided by their float64 sum.
    name : str
        What the error message calls the argument.

    Raises
    ------
    InvalidInput
        If there is no token or no number in it, or an entry is NaN, infinite or negative, or a row does not sum to 1.

    Examples
    --------
    >>> from specproof import as_distribution
    >>> as_distribution([0.25, 0.75]).tolist()
    [0.25, 0.75]
    """
    array = as_rows(values, name)
    tolerance = sum_tolerance(values, array.shape[-1])
    row = normalised_row(array, tolerance)
    if row is not None:
        return row
    # Two passes over good input; which entry is to blame is looked for only when one is. NaN fails both comparisons.
    least = np.minimum.reduce(array, axis=None, initial=0.0)
    with np.errstate(over="ignore", invalid="ignore"):  # a sum that is infinite or NaN is refused like any other
        totals = np.add.reduce(array, axis=-1, keepdims=True)
    if not (least >= 0.0 and np.abs(totals - 1.0).max(initial=0.0) <= tolerance):
        refuse_distribution(array, totals[..., 0], tolerance, name)
    normalised: Array = array / totals
    normalised += 0.0  # -0.0 turns into 0.0, as in one row
    return normalised


def as_pair(draft: ArrayLike, target: ArrayLike) -> tuple[Array, Array]:
    """Check a draft and a target together, over one vocabulary, and broadcast their leading axes to one shape.

    Raises
    ------
    InvalidInput
        As :func:`as_distribution`, or if the vocabularies differ in length or the leading axes do not broadcast.
    """
    draft_rows = as_distribution(draft, "draft")
    target_rows = as_distribution(target, "target")
    if draft_rows.shape[-1] != target_rows.shape[-1]:
        raise InvalidInput(
            f"draft has {draft_rows.shape[-1]} tokens and target has {target_rows.shape[-1]}: {ONE_VOCABULARY}"
        )
    if draft_rows.shape == target_rows.shape:
        return draft_rows, target_rows
    try:
        shape = np.broadcast_shapes(draft_rows.shape, target_rows.shape)
    except ValueError:
        raise InvalidInput(
            f"draft of shape {draft_rows.shape} and target of shape {target_rows.shape} do not broadcast: "
            "give both the same leading axes"
        ) from None
    return np.broadcast_to(draft_rows, shape), np.broadcast_to(target_rows, shape)


def as_single_pair(draft: ArrayLike, target: ArrayLike, caller: str) -> tuple[Array, Array]:
    """Check one draft and one target, each of shape (V,), for a function that takes a single pair.

    Raises
    ------
    InvalidInput
        As :func:`as_pair`, or if there are several rows; ``caller`` is the function that the message names.

    Examples
    --------
    >>> as_single_pair([0.5, 0.5], [1.0, 0.0], "certify")[1].tolist()
    [1.0, 0.0]
    """
    draft_row, target_row = as_pair(draft, target)
    if draft_row.ndim != 1:
        raise InvalidInput(f"{caller} takes one pair of shape (V,): loop over the rows")
    return draft_row, target_row


def softmax(logits: ArrayLike, temperature: float = 1.0, name: str = "logits") -> Array:
    r"""Probabilities :math:`e^{l_i/\tau} / \sum_j e^{l_j/\tau}` in float64; a logit of -inf has probability 0.

    Parameters
    ----------
    logits : array_like, shape (..., V)
    temperature : float
        :math:`\tau > 0`.

    Raises
    ------
    InvalidInput
        If a logit is NaN or +inf, a whole row is -inf, or the temperature is not a positive finite number.

    Examples
    --------
    >>> import numpy as np
    >>> from specproof import softmax
    >>> softmax([0.0, 0.0, -np.inf]).tolist()
    [0.5, 0.5, 0.0]
    >>> softmax([1.0, 0.0], temperature=0.5).round(4).tolist()
    [0.8808, 0.1192]
    """
    rows: Array = SamplingSettings(temperature).distribution(as_real(logits, name), name)
    return rows


def total_variation(draft: ArrayLike, target: ArrayLike) -> Array:
    r"""Total variation distance :math:`\sum_i [p_i - q_i]_+ = \frac12 \sum_i |p_i - q_i|`, shape (...).

    Clipped to 1, which rounding may pass by one unit in the last place.

    Examples
    --------
    >>> from specproof import total_variation
    >>> float(total_variation([0.5, 0.5], [0.25, 0.75]))
    0.25
    """
    draft_rows, target_rows = as_pair(draft, target)
    distance: Array = np.minimum(0.5 * np.abs(draft_rows - target_rows).sum(axis=-1), 1.0)
    return distance


def residual(draft: ArrayLike, target: ArrayLike) -> Array:
    r"""The law that a rejection is resampled from: :math:`[q - p]_+ / \sum_i [q_i - p_i]_+`, shape (..., V).

    Where draft and target are equal nothing is ever rejected and no residual exists: the row is all zeros.
    ([1]_, Algorithm 1; [2]_, Theorem 1.)

    References
    ----------
    .. [1] Y. Leviathan, M. Kalman, Y. Matias. Fast Inference from Transformers via Speculative Decoding. ICML
       2023, arXiv:2211.17192.
    .. [2] C. Chen et al. Accelerating Large Language Model Decoding with Speculative Sampling. 2023,
       arXiv:2302.01318.

    Examples
    --------
    >>> from specproof import residual
    >>> residual([0.5, 0.5], [0.25, 0.75]).tolist()
    [0.0, 1.0]
    """
    draft_rows, target_rows = as_pair(draft, target)
    return normalise_or_zero(np.maximum(target_rows - draft_rows, 0.0))


def normalise_or_zero(weights: Array) -> Array:
    """Divide non-negative rows by their sums; a row without mass stays all zeros."""
    totals = weights.sum(axis=-1, keepdims=True)
    rows: Array = np.divide(weights, totals, out=np.zeros_like(weights), where=totals > 0)
    return rows


def bernoulli(success: float) -> Array:
    """The two-token law (1 - success, success).

    Raises
    ------
    InvalidInput
        If ``success`` is not a number in [0, 1].

    Examples
    --------
    >>> from specproof import bernoulli
    >>> bernoulli(0.25).tolist()
    [0.75, 0.25]
    """
    chance = probability(success, "success")
    return np.array([1.0 - chance, chance])


def uniform(vocabulary: int, support: int | None = None) -> Array:
    """The uniform law on the first ``support`` (default: all) of ``vocabulary`` tokens.

    Raises
    ------
    InvalidInput
        If the numbers are not integers with 1 <= support <= vocabulary.

    Examples
    --------
    >>> from specproof import uniform
    >>> uniform(4, support=2).tolist()
    [0.5, 0.5, 0.0, 0.0]
    """
    tokens = positive_integer(vocabulary, "vocabulary")
    refuse_large_array("vocabulary", tokens, (tokens,))
    size = tokens if support is None else positive_integer(support, "support")
    if size > tokens:
        raise InvalidInput(f"support is {shown(size)} of a vocabulary of {tokens}: it must lie in 1..vocabulary")
    return np.where(np.arange(tokens) < size, 1.0 / size, 0.0)


def zipf(vocabulary: int, exponent: float = 1.0) -> Array:
    r"""Zipf's law :math:`p_i \propto i^{-s}`, i = 1..V, the shape of word frequencies.

    Raises
    ------
    InvalidInput
        If the vocabulary is not an integer >= 1 or the exponent not a finite number.

    Examples
    --------
    >>> from specproof import zipf
    >>> zipf(3, exponent=0.0).round(4).tolist(), zipf(2).round(4).tolist()
    ([0.3333, 0.3333, 0.3333], [0.6667, 0.3333])
    """
    tokens, power = positive_integer(vocabulary, "vocabulary"), finite_number(exponent, "exponent")
    refuse_large_array("vocabulary", tokens, (tokens,))
    ranks = np.arange(1, tokens + 1, dtype=np.float64)
    # Against the likeliest token, the first or with s < 0 the last, so that no weight exceeds 1.
    weights = (ranks / (1 if power >= 0 else tokens)) ** -power
    law: Array = weights / weights.sum()
    return law


def dirichlet(
    vocabulary: int, concentration: float, rng: np.random.Generator, size: tuple[int, ...] | int = ()
) -> Array:
    """Random rows from the symmetric Dirichlet law, shape ``(*size, vocabulary)``.

    A small concentration gives spiky rows. Drawn through log-gamma variates, so that entries far below the smallest
    float underflow to 0 one by one and a row never becomes 0/0.

    Raises
    ------
    InvalidInput
        If the vocabulary is not an integer >= 1, the concentration not a positive finite number, the size not integers
        >= 0, or the generator not one of NumPy's.

    Examples
    --------
    >>> import numpy as np
    >>> from specproof import dirichlet
    >>> rng = np.random.default_rng(0)
    >>> dirichlet(3, 0.5, rng, size=4).shape
    (4, 3)
    """
    tokens, alpha = positive_integer(vocabulary, "vocabulary"), positive_number(concentration, "concentration")
    check_generator(rng)
    lengths = size if isinstance(size, tuple | list) else (size,)
    shape = (*(natural_number(length, "size") for length in lengths), tokens)
    refuse_large_array("vocabulary", tokens, (tokens,))
    refuse_large_array("size", size, shape)
    gamma = rng.gamma(alpha + 1.0, size=shape)
    # Gamma(a) = Gamma(a + 1) * U^(1/a), taken in logarithms (Marsaglia and Tsang 2000, section 6).
    powers = np.log1p(-rng.random(shape))
    with np.errstate(over="ignore"):  # 1/a past the largest float: all of a row's mass is on the largest power
        logarithms = np.log(gamma) + (powers - powers.max(axis=-1, keepdims=True)) / alpha
    return softmax(logarithms)
