"""The verifiers of k i.i.d. drafts for one position, by name: what the zoo has in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from numpy.typing import ArrayLike

from theory.kseq import kseq
from theory.recursive import recursive_rejection
from theory.selection import SelectionLaw
from theory.single import maximal_coupling


@dataclass(frozen=True)
class Verifier:
    """A lossless rule that accepts one of k i.i.d. drafts or emits a token of its own.

    Attributes
    ----------
    name : str
        The key in ``VERIFIERS``; samplers have the same key in :data:`simulations.samplers.verifiers.SAMPLERS`.
    label : str
        For axes, legends and tables.
    law : callable
        ``law(draft, target, num_drafts) -> SelectionLaw``.
    """

    name: str
    label: str
    law: Callable[[ArrayLike, ArrayLike, int], SelectionLaw]


def _first_only(draft: ArrayLike, target: ArrayLike, num_drafts: int) -> SelectionLaw:
    del num_drafts  # the others are drawn and ignored
    return maximal_coupling(draft, target)


VERIFIERS: Mapping[str, Verifier] = MappingProxyType(
    {
        verifier.name: verifier
        for verifier in (
            Verifier("single", "one draft", _first_only),
            Verifier("kseq", "K-SEQ", kseq),
            Verifier("recursive", "recursive rejection", recursive_rejection),
        )
    }
)
