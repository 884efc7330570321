"""What a verifier does to one position, as an exact law."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from specproof.theory.display import html_record, one_line, shown
from specproof.theory.distribution import Array, as_distribution
from specproof.theory.errors import InvalidInput
from specproof.theory.numbers import finite_number


@dataclass(frozen=True, eq=False, repr=False)
class SelectionLaw:
    """The exact law of a verifier that accepts one of its drafts or emits from a residual.

    Attributes
    ----------
    accepted : array, shape (..., V)
        A draft is accepted and is token i with this probability.
    residual : array, shape (..., V)
        The emitted token has this law when every draft is rejected; the row is all zeros where that never happens.
    acceptance : array, shape (...)
        Some draft is accepted with this probability, ``accepted.sum(-1)``.

    Examples
    --------
    >>> from specproof import kseq
    >>> law = kseq([0.5, 0.5], [0.25, 0.75], 1)
    >>> float(law.acceptance), law.residual.tolist(), law.is_lossless([0.25, 0.75])
    (0.75, [0.0, 1.0], True)
    """

    accepted: Array
    residual: Array
    acceptance: Array

    __repr__ = one_line
    _repr_html_ = html_record

    @property
    def output(self) -> Array:
        """Law of the emitted token: accepted + (1 - acceptance) * residual, shape (..., V)."""
        law: Array = self.accepted + (1.0 - self.acceptance)[..., np.newaxis] * self.residual
        return law

    def is_lossless(self, target: ArrayLike, tolerance: float = 1e-12) -> bool:
        """Whether the output law is within ``tolerance`` of the target in total variation, in every row.

        A law of k drafts is rounded by some k times 1e-16: for k beyond 10^4 the tolerance should grow with k.

        Raises
        ------
        InvalidInput
            If the target is not a distribution over the law's vocabulary, its leading axes do not broadcast with the
            law's, or the tolerance is not a number >= 0.
        """
        rows = as_distribution(target, "target")
        if rows.shape[-1] != self.accepted.shape[-1]:
            raise InvalidInput(
                f"target has {rows.shape[-1]} tokens and the law {self.accepted.shape[-1]}: "
                "give the target that the law was made for"
            )
        allowed = finite_number(tolerance, "tolerance")
        if allowed < 0:
            raise InvalidInput(f"tolerance is {shown(tolerance)}: it must be at least 0, a total variation distance")
        try:
            error = 0.5 * np.abs(self.output - rows).sum(axis=-1)
        except ValueError:
            raise InvalidInput(
                f"target has shape {rows.shape} and the law {self.accepted.shape}: "
                "give the target that the law was made for"
            ) from None
        return bool(np.all(error <= allowed))
