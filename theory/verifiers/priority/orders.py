r"""Priority orders: the exact optimal coupling for drafts of any joint law, such as different draft models.

Let :math:`f(B) = P(\text{some draft lies in } B)`. Rates r, the chance that a draft is accepted and is token i, can be
achieved exactly if :math:`r(B) \le f(B)` for every set B of tokens (Hall's condition of the transport problem), and f
is a coverage function, hence submodular. So the achievable rates are a polymatroid (Edmonds 1970). Its extreme rates
are *priority orders*: rank all tokens once and for all, and of the drafted ones take the first; then token i comes with
probability f(i and those before it) - f(those before it). The optimum is the minimum cut

.. math:: \alpha^* = \min_A [q(A) + f(\bar A)],

and who finds the point v nearest to q among all mixtures of priority orders has both sides of it (Fujishige 1980):
take a draft by the mixture, keep it with probability min(1, q/v). Wolfe's algorithm finds v (Wolfe 1976, Finding the
nearest point in a polytope); every step of it gives a feasible coupling and a cut, so that their gap is known.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

from specproof.theory.display import html_record, one_line
from specproof.theory.distribution import Array, normalise_or_zero
from specproof.theory.errors import InvalidInput
from specproof.theory.transport.draft_sets import DraftSets, as_draft_laws, as_draft_sets, one_distribution
from specproof.theory.verifiers.selection_law import SelectionLaw


class Drafted(NamedTuple):
    """What priority orders need to know about the joint law of the drafts.

    Examples
    --------
    >>> from specproof import independent_drafts
    >>> drafted = independent_drafts([[0.5, 0.5], [0.25, 0.75]])
    >>> drafted.ever.tolist()
    [0.625, 0.875]
    """

    first: Callable[[NDArray[np.int64]], Array]
    """``first(order)``, shape (V,) to (V,): probability that of the drafted tokens, i comes first in the order."""
    ever: Array
    """Token i is drafted at all with probability f({i}), shape (V,)."""


GAP = 1e-13
"""Bounds this close are one number: each is a sum of up to thousands of products rounded at 1e-16."""

_NEGLIGIBLE = 1e-14
"""A weight in a mixture of orders that rounding could have made."""

_STEPS_PER_TOKEN = 20
"""Wolfe's algorithm took less than two steps a token in every instance tried; it stops at this many."""


@dataclass(frozen=True, eq=False, repr=False)
class PriorityOrders:
    """A coupling by a random priority order and thinning, with a proof of how good it is.

    Attributes
    ----------
    orders : array of int64, shape (m, V)
        Each order is a permutation of the tokens, first priority first; m is at most V.
    weights : array, shape (m,)
        The order is drawn from this law, independently of the drafts.
    mixture : array, shape (V,)
        Token i is the drafted one that comes first with probability v_i.
    target : array, shape (V,)
        The target is checked and normalised.
    cut : array of bool, shape (V,)
        The cut is the set A: no coupling accepts more than q(A) + f(not A).
    bound : float
        This is the number q(A) + f(not A).

    Examples
    --------
    >>> from specproof import independent_drafts, optimal_orders
    >>> coupling = optimal_orders(independent_drafts([[0.5, 0.5], [0.5, 0.5]]), [0.25, 0.75])
    >>> coupling.orders.tolist(), round(coupling.acceptance, 9)
    ([[1, 0]], 1.0)
    """

    orders: NDArray[np.int64]
    weights: Array
    mixture: Array
    target: Array
    cut: NDArray[np.bool_]
    bound: float

    __repr__ = one_line
    _repr_html_ = html_record

    @property
    def rates(self) -> Array:
        """min(v, q): probability that a draft is accepted and is token i, shape (V,)."""
        rates: Array = np.minimum(self.mixture, self.target)
        return rates

    @property
    def thinning(self) -> Array:
        """min(1, q/v): probability of keeping token i once it came first; 1 where it never does. Shape (V,)."""
        kept: Array = np.divide(self.rates, self.mixture, out=np.ones_like(self.mixture), where=self.mixture > 0)
        return kept

    @property
    def acceptance(self) -> float:
        """Probability that a draft is accepted."""
        return float(self.rates.sum())

    @property
    def gap(self) -> float:
        """How much better than this any coupling could be; 0 up to rounding."""
        return self.bound - self.acceptance

    def law(self) -> SelectionLaw:
        """The exact law of what is emitted; lossless whatever the gap."""
        left = np.maximum(self.target - self.rates, 0.0)
        return SelectionLaw(self.rates, normalise_or_zero(left), np.asarray(min(self.acceptance, 1.0)))


def independent_drafts(drafts: ArrayLike) -> Drafted:
    r"""Drafts that are independent and each of its own law, as from k different draft models.

    Along an order, with :math:`s_\ell(j)` the mass of draft l from rank j on, the j-th token comes first with
    probability :math:`\prod_\ell s_\ell(j) - \prod_\ell s_\ell(j+1)`, computed as a telescoping sum of products, so
    that no digit cancels. O(kV) an order.

    Parameters
    ----------
    drafts : array_like, shape (k, V)

    Raises
    ------
    InvalidInput
        If the rows are not distributions.

    Examples
    --------
    >>> from specproof import independent_drafts
    >>> independent_drafts([[0.5, 0.5], [0.25, 0.75]]).ever.tolist()
    [0.625, 0.875]
    """
    rows = as_draft_laws(drafts)

    def first(order: NDArray[np.int64]) -> Array:
        sorted_rows = rows[:, order]
        here = np.cumsum(sorted_rows[:, ::-1], axis=1)[:, ::-1]
        after = np.concatenate([here[:, 1:], np.zeros((len(rows), 1))], axis=1)
        found = np.zeros(rows.shape[1])
        for index, row in enumerate(sorted_rows):
            found[order] += after[:index].prod(axis=0) * row * here[index + 1 :].prod(axis=0)
        return found

    with np.errstate(divide="ignore"):  # a draft that is one token for sure: log 0, and it is drafted
        missed = np.log1p(-np.minimum(rows, 1.0)).sum(axis=0)
    return Drafted(first, 0.0 - np.expm1(missed))  # which is not -0.0 where nothing is drafted


def drafted_sets(drafts: DraftSets) -> Drafted:
    """Drafts of any joint law, such as draws without replacement, given by the law of their set; O(kS) an order.

    Raises
    ------
    InvalidInput
        If the drafts are no :class:`DraftSets`.

    Examples
    --------
    >>> from specproof import DraftSets, drafted_sets
    >>> drafted_sets(DraftSets.without_replacement([0.5, 0.5, 0.0], 2)).ever.tolist()
    [1.0, 1.0, 0.0]
    """
    vocabulary, sets = as_draft_sets(drafts).vocabulary, drafts.sets
    # A token V that comes last in every order fills the sets up to one length.
    padded = np.full((len(sets), max(map(len, sets))), vocabulary)
    for row, drawn in zip(padded, sets, strict=True):
        row[: len(drawn)] = drawn

    def first(order: NDArray[np.int64]) -> Array:
        rank = np.full(vocabulary + 1, vocabulary)
        rank[order] = np.arange(vocabulary)
        winner = np.take_along_axis(padded, rank[padded].argmin(axis=1, keepdims=True), axis=1)[:, 0]
        return np.bincount(winner, weights=drafts.probability, minlength=vocabulary).astype(np.float64)

    return Drafted(first, drafts.membership.T @ drafts.probability)


def optimal_orders(drafted: Drafted, target: ArrayLike) -> PriorityOrders:
    """The best coupling of drafts with the target, as a mixture of priority orders and thinning.

    Parameters
    ----------
    drafted : Drafted
        :func:`independent_drafts` or :func:`drafted_sets`.
    target : array_like, shape (V,)

    Returns
    -------
    PriorityOrders
        Its ``gap`` says how far from the optimum it can be. Vocabularies of some hundreds take up to seconds.

    Raises
    ------
    InvalidInput
        If the drafts come in another form, or the target is not one distribution over their vocabulary.

    Examples
    --------
    >>> from specproof import independent_drafts, optimal_orders
    >>> coupling = optimal_orders(independent_drafts([[0.5, 0.5], [0.25, 0.75]]), [0.125, 0.875])
    >>> round(coupling.acceptance, 9)
    1.0
    """
    if not isinstance(drafted, Drafted):
        raise InvalidInput(
            f"drafted is a {type(drafted).__name__}: give independent_drafts(laws) or drafted_sets(DraftSets.iid(p, k))"
        )
    law = one_distribution(target, "target")
    if law.size != drafted.ever.size:
        raise InvalidInput(
            f"target has {law.size} tokens and the drafts have {drafted.ever.size}: give laws over one vocabulary"
        )
    # Any weights of the squares have the same cuts; these give a rare token as much of a say as a frequent one.
    scale = np.sqrt(law + drafted.ever)
    scale[scale == 0.0] = 1.0
    order = np.argsort(-law, kind="stable")
    orders, found, weights = order[np.newaxis], drafted.first(order)[np.newaxis], np.ones(1)
    best: PriorityOrders | None = None
    for _ in range(_STEPS_PER_TOKEN * law.size):
        mixture = weights @ found
        order = np.argsort((mixture - law) / scale**2, kind="stable")
        extreme = drafted.first(order)
        cut, bound = _best_cut(order, extreme, law)
        if best is None or bound - np.minimum(mixture, law).sum() < best.gap:
            best = PriorityOrders(orders, weights, mixture, law, cut, bound)
        if best.gap <= GAP or (orders == order).all(axis=1).any():
            break
        orders, found = np.vstack([orders, order]), np.vstack([found, extreme])
        kept, weights = _nearest((found - law) / scale, np.append(weights, 0.0))
        orders, found = orders[kept], found[kept]
    assert best is not None
    return best


def _best_cut(order: NDArray[np.int64], extreme: Array, target: Array) -> tuple[NDArray[np.bool_], float]:
    """The best of the V+1 cuts whose complement is a head of the order: f is known there."""
    hit = np.concatenate([[0.0], np.cumsum(extreme[order])])
    outside = np.concatenate([np.cumsum(target[order[::-1]])[::-1], [0.0]])
    split = int(np.argmin(hit + outside))
    cut = np.ones(target.size, dtype=bool)
    cut[order[:split]] = False
    return cut, float(hit[split] + outside[split])


def _nearest(points: Array, weights: Array) -> tuple[NDArray[np.int64], Array]:
    """Wolfe's minor cycle: from a mixture of the points to the nearest to 0 of a simplex of some of them."""
    kept = np.arange(len(points))
    while True:
        affine = _nearest_in_hull(points[kept])
        outside = affine <= _NEGLIGIBLE
        if not outside.any():
            return kept, affine
        # Go towards the affine optimum until the first weight vanishes, and drop that point.
        falling = outside & (weights > affine)
        step = np.min(weights[falling] / (weights[falling] - affine[falling]), initial=1.0)
        weights = (1.0 - step) * weights + step * affine
        stays = weights > _NEGLIGIBLE
        kept, weights = kept[stays], weights[stays] / weights[stays].sum()


def _nearest_in_hull(points: Array) -> Array:
    """Weights of sum 1, of any sign, of the point nearest to 0 in the affine hull."""
    if len(points) == 1:
        return np.ones(1)
    offsets, *_ = scipy.linalg.lstsq((points[1:] - points[0]).T, -points[0], lapack_driver="gelsy")
    return np.concatenate([[1.0 - offsets.sum()], offsets])
