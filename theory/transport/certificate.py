r"""A proof of the optimal acceptance of one instance, in exact rational arithmetic.

Upper bound: for *any* set A of tokens, the output can be among the drafts only if it lies in A or some draft lies
outside A, so :math:`\alpha \le q(A) + 1 - p(A)^k`.

Lower bound: rates r (token i is drafted *and* emitted with probability r_i) can be achieved if and only if
:math:`r \le q` and :math:`r(B) \le g(p(B))` for every set B, :math:`g(t) = 1-(1-t)^k` (the supply condition of a
transport problem). As g is concave, only the sets B of all tokens with r/p above a threshold need be looked at: for a
slope s of g, the worst B is :math:`\{i : r_i > s p_i\}`.

When the two bounds are the same number, it is the optimum.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, cmp_to_key
from itertools import accumulate

import numpy as np
from numpy.typing import ArrayLike, NDArray

from specproof.theory.display import html_record, one_line
from specproof.theory.distribution import as_single_pair
from specproof.theory.drafts import one_num_drafts
from specproof.theory.ratio import sort_by_ratio
from specproof.theory.rationals import as_integers, refuse_large_power


@dataclass(frozen=True, eq=False, repr=False)
class AcceptanceCertificate:
    """Primal rates and a dual set whose values can be compared exactly.

    Weights are integers: token i has draft probability ``draft[i] / sum(draft)``, exactly, and likewise the target.

    Attributes
    ----------
    draft, target : tuples of int, length V
        The instance is given in units of the smallest bit of any entry.
    num_drafts : int
        The number of drafts is k.
    rates : tuple of int, length V
        The primal point is r_i = rates[i] / rate_unit.
    rate_unit : int
        The rates have this common denominator.
    dual_set : array of bool, shape (V,)
        The dual point says which tokens are in A.

    Examples
    --------
    >>> from specproof import certify
    >>> proof = certify([0.5, 0.5], [0.25, 0.75], 2)
    >>> proof.is_proof, proof.acceptance
    (True, Fraction(1, 1))
    """

    draft: tuple[int, ...]
    target: tuple[int, ...]
    num_drafts: int
    rates: tuple[int, ...]
    rate_unit: int
    dual_set: NDArray[np.bool_]

    __repr__ = one_line
    _repr_html_ = html_record

    @property
    def primal_value(self) -> Fraction:
        """Acceptance that the rates achieve, a lower bound once :attr:`is_feasible`."""
        return Fraction(sum(self.rates), self.rate_unit)

    @property
    def dual_value(self) -> Fraction:
        """q(A) + 1 - p(A)^k, an upper bound for every verifier."""
        drafted = sum(self.draft)
        inside = sum(weight for weight, member in zip(self.draft, self.dual_set, strict=True) if member)
        emitted = sum(weight for weight, member in zip(self.target, self.dual_set, strict=True) if member)
        return Fraction(emitted, sum(self.target)) + 1 - Fraction(inside, drafted) ** self.num_drafts

    @property
    def gap(self) -> Fraction:
        """Upper minus lower bound."""
        return self.dual_value - self.primal_value

    @cached_property
    def is_feasible(self) -> bool:
        """Whether the rates can be achieved: 0 <= r <= q, and r(B) <= g(p(B)) for every threshold set B."""
        emitted, drafted = sum(self.target), sum(self.draft)
        within_target = all(
            0 <= rate * emitted <= weight * self.rate_unit for rate, weight in zip(self.rates, self.target, strict=True)
        )
        order = _descending(self.rates, self.draft)
        masses = accumulate(self.draft[token] for token in order)
        totals = accumulate(self.rates[token] for token in order)
        power = drafted**self.num_drafts
        return within_target and all(
            total * power <= self.rate_unit * (power - (drafted - mass) ** self.num_drafts)
            for mass, total in zip(masses, totals, strict=True)
        )

    @property
    def is_proof(self) -> bool:
        """Whether the instance is settled: the rates are feasible and both bounds are one number."""
        return self.is_feasible and self.gap == 0

    @property
    def acceptance(self) -> Fraction:
        """The optimal acceptance, exactly (of the normalised instance)."""
        return self.dual_value


def certify(draft: ArrayLike, target: ArrayLike, num_drafts: int) -> AcceptanceCertificate:
    r"""Prove the optimal acceptance of one pair, with no rounding anywhere.

    Every float64 is a rational number; the laws are taken as those rationals, each divided by its exact sum. Sorted by
    q/p descending, A is the exactly best suffix and H the rest. The rates are r = q on A, which complementary
    slackness forces, and :math:`r_i = \min(q_i, c\,p_i)` on H with c such that r(H) = g(p(H)). The certificate then
    checks itself from its integers alone.

    Parameters
    ----------
    draft, target : array_like, shape (V,)
    num_drafts : int
        k >= 1. The integers grow with k: seconds for V = 50,000 and k = 8.

    Returns
    -------
    AcceptanceCertificate
        With ``is_proof`` true.

    Raises
    ------
    InvalidInput
        If the arguments are not one pair of distributions, k is not an integer >= 1, or the integers would pass
        ``MOST_BITS`` bits.

    Examples
    --------
    >>> from specproof import certify
    >>> proof = certify([0.5, 0.5], [0.125, 0.875], 2)
    >>> proof.is_proof, proof.primal_value, proof.dual_value
    (True, Fraction(7, 8), Fraction(7, 8))
    """
    draft_row, target_row = as_single_pair(draft, target, "certify")
    count = one_num_drafts(num_drafts)
    proposal, law = as_integers(draft_row), as_integers(target_row)
    refuse_large_power(count, proposal)
    nearly_sorted = sort_by_ratio(draft_row[np.newaxis], target_row[np.newaxis]).order[0].tolist()
    order = _descending(law, proposal, nearly_sorted)
    split = _best_split(proposal, law, count, order)
    rates, unit = _water_fill(proposal, law, count, order[:split])
    scale = unit // sum(law)
    for token in order[split:]:
        rates[token] = law[token] * scale
    dual_set = np.ones(len(law), dtype=bool)
    dual_set[order[:split]] = False
    return AcceptanceCertificate(proposal, law, count, tuple(rates), unit, dual_set)


def _descending(above: tuple[int, ...], below: tuple[int, ...], start: list[int] | None = None) -> list[int]:
    """Tokens by above/below descending, exactly; 0 in the denominator is infinity, 0/0 comes last.

    Sorting is linear where ``start`` is nearly in order already, as a sort of the rounded quotients is.
    """

    def compare(first: int, second: int) -> int:
        left, right = above[first] * below[second], above[second] * below[first]
        return (left < right) - (left > right)

    candidates = list(range(len(above))) if start is None else start
    void = [token for token in candidates if above[token] == below[token] == 0]
    rest = [token for token in candidates if above[token] or below[token]]
    return sorted(rest, key=cmp_to_key(compare)) + void


def _best_split(draft: tuple[int, ...], target: tuple[int, ...], count: int, order: list[int]) -> int:
    """The number of leading tokens to leave out of A so that q(A) - p(A)^k is least."""
    drafted, emitted = sum(draft), sum(target)
    power = drafted**count
    inside, mass = drafted, emitted
    best, best_split = 0, 0
    for split, token in enumerate(order, start=1):
        inside, mass = inside - draft[token], mass - target[token]
        value = mass * power - emitted * inside**count
        if value < best:
            best, best_split = value, split
    return best_split


def _water_fill(draft: tuple[int, ...], target: tuple[int, ...], count: int, head: list[int]) -> tuple[list[int], int]:
    """Rates min(q, c p) on the head with total g(p(head)), as integers over a common unit; 0 elsewhere.

    Descending in q/p, the tokens held down to c p come first. After the first j of them c would be
    (g(p(head)) - q(the others)) / p(first j); it is right as soon as it is at least the next token's q/p. Tokens that
    are never drafted have rate 0, and as the head is the best one the others want at least g(p(head)) without them.
    """
    head = [token for token in head if draft[token]]
    drafted, emitted = sum(draft), sum(target)
    power = drafted**count
    inside = drafted - sum(draft[token] for token in head)
    unit = emitted * power
    # In units of 1/unit: what the head may emit, and what its tokens want beyond that.
    supply = emitted * (power - inside**count)
    excess = sum(target[token] for token in head) * power - supply
    rates = [0] * len(draft)
    for token in head:
        rates[token] = target[token] * power
    if excess == 0:
        return rates, unit
    held_draft = held_target = 0
    for index, token in enumerate(head):
        held_draft, held_target = held_draft + draft[token], held_target + target[token]
        level = held_target * power - excess
        following = head[index + 1] if index + 1 < len(head) else None
        if following is None or level * draft[following] >= target[following] * power * held_draft:
            return _hold_down(rates, draft, head[: index + 1], level, held_draft), unit * held_draft
    raise AssertionError("an empty head has no excess")


def _hold_down(rates: list[int], draft: tuple[int, ...], held: list[int], level: int, held_draft: int) -> list[int]:
    """Share ``level`` among the held tokens in proportion to p; the unit becomes finer by ``held_draft``."""
    finer = [rate * held_draft for rate in rates]
    for token in held:
        finer[token] = level * draft[token]
    return finer
