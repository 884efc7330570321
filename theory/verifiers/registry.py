"""The verifiers of k i.i.d. drafts for one position, by name: what the zoo has in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from numpy.typing import ArrayLike

from specproof.theory.distribution import Array
from specproof.theory.verifiers.agreement import kseq_agreement, recursive_agreement, single_agreement
from specproof.theory.verifiers.kseq.law import kseq
from specproof.theory.verifiers.priority import PriorityCoupling
from specproof.theory.verifiers.recursive import recursive_rejection
from specproof.theory.verifiers.selection_law import SelectionLaw
from specproof.theory.verifiers.single import maximal_coupling


@dataclass(frozen=True)
class Verifier:
    """A lossless rule that accepts one of k i.i.d. drafts or emits a token of its own.

    Attributes
    ----------
    name : str
        The key in ``VERIFIERS``, and in ``SAMPLERS`` of :mod:`specproof.simulations.samplers.registry`.
    label : str
        For axes, legends and tables.
    law : callable
        ``law(draft, target, num_drafts) -> SelectionLaw``.
    agreement : callable
        ``agreement(draft, target, num_drafts) -> array (..., V, k)``: the probability that token i is accepted and that
        exactly j = 1..k of the drafts are token i, wherever they stand. Summed over j it is ``law.accepted``; of the
        drafts that follow the accepted token, j sequences go on (:mod:`specproof.theory.sequences`).
    """

    name: str
    label: str
    law: Callable[[ArrayLike, ArrayLike, int], SelectionLaw]
    agreement: Callable[[ArrayLike, ArrayLike, int], Array]


def _first_only(draft: ArrayLike, target: ArrayLike, num_drafts: int) -> SelectionLaw:
    del num_drafts  # the others are drawn and ignored
    return maximal_coupling(draft, target)


def _priority_law(draft: ArrayLike, target: ArrayLike, num_drafts: int) -> SelectionLaw:
    return PriorityCoupling(draft, target, num_drafts).law()


def _priority_agreement(draft: ArrayLike, target: ArrayLike, num_drafts: int) -> Array:
    return PriorityCoupling(draft, target, num_drafts).agreement()


VERIFIERS: Mapping[str, Verifier] = MappingProxyType(
    {
        verifier.name: verifier
        for verifier in (
            Verifier("single", "one draft", _first_only, single_agreement),
            Verifier("kseq", "K-SEQ", kseq, kseq_agreement),
            Verifier("recursive", "recursive rejection", recursive_rejection, recursive_agreement),
            Verifier("priority", "priority coupling", _priority_law, _priority_agreement),
        )
    }
)
