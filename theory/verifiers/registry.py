"""The registry of verifiers: rules for k i.i.d. drafts of one position, each of which registers once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike, NDArray

from specproof.theory.distribution import Array
from specproof.theory.errors import InvalidInput
from specproof.theory.looks import LOOKS, Look
from specproof.theory.registry import Registry
from specproof.theory.verifiers.selection_law import SelectionLaw

GivenDrafts = Callable[[Array, Array, NDArray[np.int64]], Array]
"""The rule as it is written, without a law of the drafts: ``given_drafts(draft, target, drafts)``.

From laws of shape (V,) and drafted tokens of shape (N, k), all of which can be drafted, it makes the probability that
each draft is the accepted one, shape (N, k). What a row lacks to 1 is the probability that all drafts are rejected.
"""


AgreementAt = Callable[[Array, Array, NDArray[np.int64], int], Array]
"""The law of agreement at one token a row, for every number of drafts: ``agreement_at(draft, target, tokens, K)``.

From trusted, contiguous laws of shape (n, V) and tokens of shape (n,) it makes an array of shape (n, K, K) whose entry
[i, k-1, j-1] is the probability that with k drafts ``tokens[i]`` is the accepted one and exactly j drafts carry it.
"""


@dataclass(frozen=True)
class Verifier:
    """A lossless rule that accepts one of k i.i.d. drafts or emits a token of its own.

    Attributes
    ----------
    name : str
        The name is the key in ``VERIFIERS``, and in ``SAMPLERS`` of :mod:`specproof.simulations.samplers`.
    label : str
        Axes, legends and tables show this text.
    colour, marker : str
        Matplotlib draws the rule with these.
    law : callable
        ``law(draft, target, num_drafts) -> SelectionLaw``, for laws of shape (..., V).
    agreement : callable
        ``agreement(draft, target, num_drafts) -> array (..., V, k)``: the probability that token i is accepted and that
        exactly j = 1..k of the drafts are token i, wherever they stand. Summed over j it is ``law.accepted``; of the
        drafts that follow the accepted token, j sequences go on (:mod:`specproof.theory.sequences`).
    agreement_at : callable, optional
        The same at one token of each row and for k = 1..K at once, in a few passes over the row, see
        :data:`~specproof.theory.verifiers.registry.AgreementAt`.
        :func:`specproof.theory.verifiers.at_tokens.agreement_at` calls it, and does without where there is none.
    given_drafts : callable, optional
        The rule as it is written, see :data:`~specproof.theory.verifiers.registry.GivenDrafts`; what enumerations
        follow draft by draft.
    certificate : callable, optional
        ``certificate(draft, target, num_drafts) -> (lowest, highest)``: two fractions that the acceptance on one pair
        of shape (V,) is proven to lie between, without rounding.
    guarantee : callable, optional
        ``guarantee(num_drafts) -> float``: the least share of the optimal acceptance that the rule reaches on any pair.
    acceptance : callable, optional
        ``acceptance(draft, target, num_drafts) -> array (...)``: the law's acceptance alone, where a theorem gives it
        for less than the law. :meth:`acceptance_of` calls it, and takes the law where there is none.

    Examples
    --------
    >>> from specproof import VERIFIERS
    >>> rule = VERIFIERS["kseq"]
    >>> rule.label, float(rule.law([0.5, 0.5], [0.25, 0.75], 1).acceptance)
    ('K-SEQ', 0.75)
    """

    name: str
    label: str
    colour: str
    marker: str
    law: Callable[[ArrayLike, ArrayLike, int], SelectionLaw]
    agreement: Callable[[ArrayLike, ArrayLike, int], Array]
    agreement_at: AgreementAt | None = None
    given_drafts: GivenDrafts | None = None
    certificate: Callable[[ArrayLike, ArrayLike, int], tuple[Fraction, Fraction]] | None = None
    guarantee: Callable[[int], float] | None = None
    acceptance: Callable[[ArrayLike, ArrayLike, int], Array] | None = None

    def acceptance_of(self, draft: ArrayLike, target: ArrayLike, num_drafts: int) -> Array:
        """The probability that some draft is accepted, shape (...), for laws of shape (..., V)."""
        if self.acceptance is not None:
            return self.acceptance(draft, target, num_drafts)
        return self.law(draft, target, num_drafts).acceptance


VERIFIERS: Registry[Verifier] = Registry("verifier")
"""All verifiers by name: those of this package, and what a user has registered beside them."""


def register_verifier(verifier: Verifier) -> None:
    """Let a verifier be known to ``VERIFIERS``, and by it to bounds, claims, figures and the conformance kit.

    Its sampler is registered beside it by :func:`specproof.simulations.samplers.register_sampler`.

    Raises
    ------
    InvalidInput
        If it is no Verifier, or another verifier or another look has its name.

    Examples
    --------
    >>> from specproof.theory.verifiers import VERIFIERS
    >>> float(VERIFIERS["priority"].law([0.5, 0.5], [0.1, 0.9], 2).acceptance)
    0.85
    >>> register_verifier(VERIFIERS["kseq"])  # as it already is: nothing changes
    """
    if not isinstance(verifier, Verifier):
        raise InvalidInput(f"verifier is a {type(verifier).__name__}: give a Verifier(name, label, ...)")
    if verifier.name not in VERIFIERS:
        LOOKS.add(verifier.name, Look(verifier.label, verifier.colour, verifier.marker))
    VERIFIERS.add(verifier.name, verifier)
