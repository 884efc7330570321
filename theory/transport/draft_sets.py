r"""The law of the set of drafted tokens: all that an optimal transport plan sees of the drafts.

The cost of emitting Y after drafting X = (X_1, ..., X_k) is 1 if Y is not among the drafts and 0 if it is, so draft
tuples with the same tokens are one row of the problem. Merging them loses nothing: a plan for the tuples adds up to a
plan for the sets, and a plan for the sets is shared out among its tuples in proportion. (Sun et al. 2023, section 3.)
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike

from specproof.theory.display import html_record, one_line
from specproof.theory.distribution import Array, as_distribution
from specproof.theory.drafts import one_num_drafts
from specproof.theory.errors import InvalidInput
from specproof.theory.rationals import as_fractions

LARGEST_PLAN = 2_000_000
"""At most this many pairs (set, token in it) are enumerated: each is a variable of the linear program."""

MOST_STEPS = 10_000_000
"""A draft is added to a set of drafts at most this many times: some five seconds, and more in rational arithmetic."""

BYTES_A_PAIR = 1500
"""The linear program takes roughly this much memory for each."""

_Weighted = list[tuple[int, Any]]
"""Tokens come with their weights, all floats or all Fractions: the recursions are the same."""
_Law = dict[tuple[int, ...], Any]


@dataclass(frozen=True, repr=False)
class DraftSets:
    """P(set(X) = s), for every set s that can be drafted.

    Attributes
    ----------
    vocabulary : int
        The number of tokens is V.
    sets : tuple of S tuples of int
        The tokens of each set are ascending.
    masses : tuple of S numbers
        The probabilities P(set(X) = sets[s]) are floats, or Fractions where the constructor was told ``exact=True``.

    Examples
    --------
    >>> from specproof import DraftSets
    >>> drafts = DraftSets.iid([0.5, 0.5], 2)
    >>> drafts.sets, drafts.masses
    (((0,), (0, 1), (1,)), (0.25, 0.5, 0.25))
    """

    vocabulary: int
    sets: tuple[tuple[int, ...], ...]
    masses: tuple[float | Fraction, ...]

    __repr__ = one_line
    _repr_html_ = html_record

    @classmethod
    def iid(cls, draft: ArrayLike, num_drafts: int, *, exact: bool = False) -> DraftSets:
        """Independent drafts X_1, ..., X_k from one law, draft of shape (V,).

        Raises
        ------
        InvalidInput
            If the draft is not one distribution, k is not an integer >= 1, there are more than ``LARGEST_PLAN`` pairs
            of a set and a token in it, or adding draft to draft may take more than ``MOST_STEPS`` steps.
        """
        row = one_distribution(draft, "draft")
        count = one_num_drafts(num_drafts)
        support = int(np.count_nonzero(row))
        _refuse_large(_pairs_up_to(support, count), count, "optimal_acceptance")
        _refuse_long(_sets_up_to(support, count - 1), support, count, "optimal_acceptance")
        weights = _exactly(row[np.newaxis]) if exact else _weighted(row[np.newaxis])
        return cls._of(row.size, _independent(weights * count))

    @classmethod
    def of_different(cls, drafts: ArrayLike, *, exact: bool = False) -> DraftSets:
        """Independent drafts, X_l from the l-th of k laws, drafts of shape (k, V).

        Raises
        ------
        InvalidInput
            If the rows are not distributions, or there may be more than ``LARGEST_PLAN`` pairs or ``MOST_STEPS`` steps.
        """
        rows = as_draft_laws(drafts)
        supports, union = np.count_nonzero(rows, axis=1).tolist(), int(np.count_nonzero(rows.any(axis=0)))
        pairs = min(len(rows) * math.prod(supports), _pairs_up_to(union, len(rows)))
        _refuse_large(pairs, len(rows), "optimal_acceptance_different")
        sets = min(math.prod(supports[:-1]), _sets_up_to(union, len(rows) - 1))
        _refuse_long(sets, max(supports), len(rows), "optimal_acceptance_different")
        return cls._of(rows.shape[1], _independent(_exactly(rows) if exact else _weighted(rows)))

    @classmethod
    def without_replacement(cls, draft: ArrayLike, num_drafts: int, *, exact: bool = False) -> DraftSets:
        """Drafts in turn, each from the draft law (V,) without the tokens before it, renormalised.

        Raises
        ------
        InvalidInput
            As :meth:`iid`, or if k exceeds the number of tokens that can be drafted.
        """
        row = one_distribution(draft, "draft")
        count = one_num_drafts(num_drafts)
        check_support(row, count)
        support = int(np.count_nonzero(row))
        _refuse_large(count * math.comb(support, count), count, "optimal_acceptance_without_replacement")
        # With k near V the sets are few again, but not those of half of the tokens on the way.
        most = math.comb(support, min(count - 1, support // 2))
        _refuse_long(most, support, count, "optimal_acceptance_without_replacement")
        weights = _exactly(row[np.newaxis]) if exact else _weighted(row[np.newaxis])
        return cls._of(row.size, _successive(weights[0], count))

    @classmethod
    def of_joint(cls, joint: ArrayLike, *, exact: bool = False) -> DraftSets:
        """Drafts of any joint law, an array of shape (V,) * k: entry [x_1, ..., x_k] is P(X = x).

        Raises
        ------
        InvalidInput
            If the axes differ in length, the entries are not a distribution over all tuples, or more than
            ``LARGEST_PLAN`` / k of them are positive.
        """
        try:
            array = np.asarray(joint)
        except ValueError as error:
            raise InvalidInput(f"joint is not an array ({error}): its shape must be (V,) * k") from None
        if array.ndim == 0 or len(set(array.shape)) > 1:
            raise InvalidInput(f"joint has shape {array.shape}: it must be (V,) * k, one axis for each draft")
        flat = as_distribution(array.reshape(-1), "joint")
        _refuse_large(int(np.count_nonzero(flat)) * array.ndim, array.ndim, None)
        weights = (_exactly(flat[np.newaxis]) if exact else _weighted(flat[np.newaxis]))[0]
        law: _Law = {}
        for index, mass in weights:
            drawn = tuple(sorted({int(token) for token in np.unravel_index(index, array.shape)}))
            law[drawn] = law.get(drawn, 0) + mass
        return cls(array.shape[0], tuple(law), tuple(law.values()))

    @classmethod
    def _of(cls, vocabulary: int, law: _Law) -> DraftSets:
        return cls(vocabulary, tuple(law), tuple(law.values()))

    @cached_property
    def probability(self) -> Array:
        """The masses as float64, shape (S,)."""
        return np.array([float(mass) for mass in self.masses])

    @cached_property
    def membership(self) -> sp.csr_array:
        """1 where the token is in the set, shape (S, V), sparse."""
        tokens = np.fromiter((token for drawn in self.sets for token in drawn), dtype=np.int64)
        starts = np.concatenate(([0], np.cumsum([len(drawn) for drawn in self.sets])))
        return sp.csr_array((np.ones(tokens.size), tokens, starts), shape=(len(self.sets), self.vocabulary))


def as_draft_sets(drafts: Any) -> DraftSets:
    """Check that this is the law of a set of drafts, and not that of one draft."""
    if not isinstance(drafts, DraftSets):
        raise InvalidInput(
            f"drafts is a {type(drafts).__name__}: give the law of their set, such as DraftSets.iid(p, k)"
        )
    return drafts


def one_distribution(values: ArrayLike, name: str) -> Array:
    """Check a single row, shape (V,)."""
    row = as_distribution(values, name)
    if row.ndim != 1:
        raise InvalidInput(
            f"{name} has shape {row.shape}: give one distribution of shape (V,) here, and loop over rows"
        )
    return row


def as_draft_laws(drafts: ArrayLike) -> Array:
    """Check the laws of k different drafts, shape (k, V)."""
    rows = as_distribution(drafts, "drafts")
    if rows.ndim != 2 or len(rows) == 0:
        raise InvalidInput(f"drafts has shape {rows.shape}: it must be (k, V), one row for each of k >= 1 drafts")
    return rows


def check_support(draft: Array, num_drafts: int) -> None:
    """Refuse to draw more tokens without replacement than have positive probability, in some row of (..., V)."""
    support = int(np.count_nonzero(draft, axis=-1).min(initial=draft.shape[-1]))
    if num_drafts > support:
        raise InvalidInput(
            f"num_drafts is {num_drafts} and only {support} tokens of draft have positive probability: "
            f"without replacement there are at most {support} drafts"
        )


def _weighted(rows: Array) -> list[_Weighted]:
    return [[(int(token), float(row[token])) for token in np.flatnonzero(row)] for row in rows]


def _exactly(rows: Array) -> list[_Weighted]:
    """Every float64 is a rational number; each row is divided by its exact sum."""
    return [[(token, mass) for token, mass in enumerate(as_fractions(row)) if mass] for row in rows]


def _independent(drafts: Sequence[_Weighted]) -> _Law:
    """Add one draft at a time: sums of products, without cancellation."""
    law: _Law = {(token,): mass for token, mass in drafts[0]}
    for draft in drafts[1:]:
        law = _merge(
            (drawn if token in drawn else tuple(sorted((*drawn, token))), mass * weight)
            for drawn, mass in law.items()
            for token, weight in draft
        )
    return law


def _successive(draft: _Weighted, num_drafts: int) -> _Law:
    """Add one draft at a time; what is left is summed afresh, as 1 minus the rest would lose a small one's digits."""
    law: _Law = {(token,): mass for token, mass in draft}
    for _ in range(num_drafts - 1):
        longer: list[tuple[tuple[int, ...], Any]] = []
        for drawn, mass in law.items():
            left = [(token, weight) for token, weight in draft if token not in drawn]
            total = sum(weight for _, weight in left)
            longer += [(tuple(sorted((*drawn, token))), mass * (weight / total)) for token, weight in left]
        law = _merge(longer)
    return law


def _merge(items: Iterable[tuple[tuple[int, ...], Any]]) -> _Law:
    law: _Law = {}
    for drawn, mass in items:
        law[drawn] = law[drawn] + mass if drawn in law else mass
    return law


def _sets_up_to(support: int, num_drafts: int) -> int:
    """Sets of 1 to k of the tokens."""
    if num_drafts >= support:
        return (1 << support) - 1
    if 2 * num_drafts > support:  # count what is left out
        return (1 << support) - 2 - _sets_up_to(support, support - num_drafts - 1)
    sets, subsets = 0, 1
    for size in range(1, num_drafts + 1):
        subsets = subsets * (support - size + 1) // size
        sets += subsets
    return sets


def _pairs_up_to(support: int, num_drafts: int) -> int:
    """Pairs of a set of at most k of the tokens and a token in it: the token, and what else is in the set."""
    return support * (1 + _sets_up_to(support - 1, num_drafts - 1))


def _refuse_large(pairs: int, num_drafts: int, alternative: str | None) -> None:
    if pairs > LARGEST_PLAN:
        remedy = f"use {alternative}, which needs no plan" if alternative else "use a smaller alphabet"
        raise InvalidInput(
            f"the plan for num_drafts {num_drafts} has up to {_shown(pairs)} variables, about "
            f"{_shown(pairs * BYTES_A_PAIR // 10**9)} GB, and the limit is {LARGEST_PLAN:,}: {remedy}"
        )


def _refuse_long(sets: int, support: int, num_drafts: int, alternative: str) -> None:
    """Refuse to add the drafts one by one, the last of them to so many sets, each of ``support`` tokens to each."""
    steps = (num_drafts - 1) * sets * support
    if steps > MOST_STEPS:
        raise InvalidInput(
            f"the sets of num_drafts {num_drafts} drafts take up to {_shown(steps)} steps to count, and the limit is "
            f"{MOST_STEPS:,}: use {alternative}, which needs no sets"
        )


def _shown(count: int) -> str:
    """A count in full, or in powers of ten where that is shorter; some have thousands of digits."""
    return f"{count:,}" if count < 10**9 else f"{Decimal(count):.1e}"
