r"""K-SEQ's acceptance on one instance, enclosed between two fractions.

rho* is the root of :math:`g(\beta(\rho)) - \rho\beta(\rho)`, which falls strictly as long as anything is accepted:
:math:`\beta` falls with rho, and :math:`\rho\beta(\rho) = \sum_i \min(\rho p_i, q_i)` rises. A change of sign between
two fractions, seen in exact arithmetic, is therefore a proof that rho* lies between them, and that the acceptance
:math:`\rho^*\beta(\rho^*)` lies between the values of :math:`\sum_i \min(\rho p_i, q_i)` at the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from numpy.typing import ArrayLike

from specproof.theory.display import html_record, one_line
from specproof.theory.distribution import as_single_pair
from specproof.theory.drafts import one_num_drafts
from specproof.theory.rationals import as_fractions, as_integers, refuse_large_power
from specproof.theory.verifiers.kseq.factor import RHO_TOLERANCE, division_factor


@dataclass(frozen=True, repr=False)
class KSeqCertificate:
    """An enclosure of rho* and of K-SEQ's acceptance at it, which checks itself.

    Attributes
    ----------
    draft, target : tuples of Fraction, length V
        The instance is given as laws divided by their exact sums.
    num_drafts : int
        The number of drafts is k.
    low, high : Fraction
        The root rho* lies between these two, which are both >= 1.

    Examples
    --------
    >>> from specproof import certify_kseq
    >>> proof = certify_kseq([0.5, 0.5], [0.25, 0.75], 2)
    >>> proof.is_proof, [round(float(bound), 6) for bound in proof.acceptance]
    (True, [0.904508, 0.904508])
    """

    draft: tuple[Fraction, ...]
    target: tuple[Fraction, ...]
    num_drafts: int
    low: Fraction
    high: Fraction

    __repr__ = one_line
    _repr_html_ = html_record

    @property
    def is_proof(self) -> bool:
        """Whether rho* is in the bracket: it is not above the upper end, and not below the lower."""
        return self._excess(self.low) >= 0 >= self._excess(self.high)

    @property
    def acceptance(self) -> tuple[Fraction, Fraction]:
        """The two fractions that K-SEQ's acceptance at rho* lies between, once :attr:`is_proof`."""
        return self._capped(self.low), self._capped(self.high)

    def _capped(self, rho: Fraction) -> Fraction:
        return sum((min(rho * p, q) for p, q in zip(self.draft, self.target, strict=True)), Fraction(0))

    def _excess(self, rho: Fraction) -> Fraction:
        capped = self._capped(rho)
        return 1 - (1 - capped / rho) ** self.num_drafts - capped


def certify_kseq(draft: ArrayLike, target: ArrayLike, num_drafts: int) -> KSeqCertificate:
    """Enclose rho* and the acceptance of one pair, rho* to ``RHO_TOLERANCE`` on either side of the float.

    Where so little can be accepted that floats have no digits left for it, below 1e-307, rho* is enclosed by 1 and k.

    Parameters
    ----------
    draft, target : array_like, shape (V,)
    num_drafts : int
        k >= 1. The integers grow with k, as in :func:`specproof.theory.transport.certify`.

    Returns
    -------
    KSeqCertificate
        With ``is_proof`` true.

    Raises
    ------
    InvalidInput
        If the arguments are not one pair of distributions, k is not an integer >= 1, or the integers would pass
        ``MOST_BITS`` bits.

    Examples
    --------
    >>> from specproof import certify_kseq
    >>> low, high = certify_kseq([0.5, 0.5], [0.25, 0.75], 2).acceptance
    >>> round(float(low), 6), float(high - low) < 1e-9
    (0.904508, True)
    """
    draft_row, target_row = as_single_pair(draft, target, "certify_kseq")
    count = one_num_drafts(num_drafts)
    refuse_large_power(count, as_integers(draft_row), as_integers(target_row))
    rho, step = Fraction(float(division_factor(draft_row, target_row, count))), Fraction(RHO_TOLERANCE)
    laws = as_fractions(draft_row), as_fractions(target_row)
    near = KSeqCertificate(*laws, count, max(rho * (1 - step), Fraction(1)), rho * (1 + step))
    return near if near.is_proof else KSeqCertificate(*laws, count, Fraction(1), Fraction(count))


def enclose_kseq(draft: ArrayLike, target: ArrayLike, num_drafts: int) -> tuple[Fraction, Fraction]:
    """Two fractions that the acceptance at rho* is proven to lie between: those of :func:`certify_kseq`.

    Raises
    ------
    InvalidInput
        As :func:`certify_kseq`.

    Examples
    --------
    >>> low, high = enclose_kseq([0.5, 0.5], [0.25, 0.75], 2)
    >>> low < high < low + Fraction(1, 10**11)
    True
    """
    return certify_kseq(draft, target, num_drafts).acceptance
