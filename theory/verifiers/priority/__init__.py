r"""The optimal verifier of k i.i.d. drafts, exactly, at any vocabulary size: the priority coupling.

Every token owns a set :math:`I_i \subset [0, 1]` of total length p_i; the sets tile [0, 1]. Each draft draws a
priority uniformly from the set of its token, and the draft of the highest priority wins. As the priorities are
independent and uniform on [0, 1], token i wins with probability :math:`\int_{I_i} k s^{k-1} ds`, whatever the sets
are: to choose them is to choose the law of the winner. docs/priority-coupling.md has the proof that the choice made
here is optimal.
"""

from __future__ import annotations

from fractions import Fraction

from numpy.typing import ArrayLike

from specproof.theory.distribution import Array
from specproof.theory.drafts import one_num_drafts
from specproof.theory.transport.certificate import certify
from specproof.theory.transport.subset import optimal_acceptance
from specproof.theory.verifiers.priority.coupling import PriorityCoupling
from specproof.theory.verifiers.priority.given_drafts import priority_given
from specproof.theory.verifiers.priority.intervals import Intervals
from specproof.theory.verifiers.priority.shared import priority_agreement_at
from specproof.theory.verifiers.registry import Verifier, register_verifier
from specproof.theory.verifiers.selection_law import SelectionLaw

__all__ = ["Intervals", "PriorityCoupling"]


def _law(draft: ArrayLike, target: ArrayLike, num_drafts: int) -> SelectionLaw:
    return PriorityCoupling(draft, target, num_drafts).law()


def _agreement(draft: ArrayLike, target: ArrayLike, num_drafts: int) -> Array:
    return PriorityCoupling(draft, target, num_drafts).agreement()


def _certificate(draft: ArrayLike, target: ArrayLike, num_drafts: int) -> tuple[Fraction, Fraction]:
    """The optimum, which the tiling reaches in exact arithmetic (docs/priority-coupling.md, Theorem 8)."""
    proof = certify(draft, target, num_drafts)
    assert proof.is_proof
    return proof.primal_value, proof.dual_value


def _guarantee(num_drafts: int) -> float:
    """All of the optimum, for any number of drafts."""
    one_num_drafts(num_drafts)
    return 1.0


register_verifier(
    Verifier(
        name="priority",
        label="priority coupling",
        colour="#009E73",
        marker="s",
        law=_law,
        agreement=_agreement,
        agreement_at=priority_agreement_at,
        given_drafts=priority_given,
        certificate=_certificate,
        guarantee=_guarantee,
        acceptance=optimal_acceptance,  # Theorem 8 of docs/priority-coupling.md
    )
)
