"""The samplers of the verifiers of k i.i.d. drafts, by the names of :data:`specproof.theory.verifiers.VERIFIERS`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from array_api_compat import array_namespace

from specproof.simulations.samplers import kseq, priority, recursive, single
from specproof.simulations.samplers.inversion import AnyArray
from specproof.simulations.samplers.selection import Selection, SelectionSampler


def _first_only(draft: AnyArray, target: AnyArray, drafts: AnyArray, uniforms: AnyArray) -> Selection:
    """Verify the first draft alone, with the first coin and the last."""
    xp = array_namespace(uniforms)
    coins = xp.concat([uniforms[..., :1], uniforms[..., -1:]], axis=-1)
    return single.verify(draft, target, drafts[..., :1], coins)


SAMPLERS: Mapping[str, SelectionSampler] = MappingProxyType(
    {"single": _first_only, "kseq": kseq.verify, "recursive": recursive.verify, "priority": priority.verify}
)
