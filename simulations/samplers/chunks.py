"""Verifying many positions in chunks of rows: memory stays bounded, and a chunk stays in cache."""

from __future__ import annotations

from array_api_compat import array_namespace

from specproof.simulations.samplers.inversion import AnyArray
from specproof.simulations.samplers.selection import Selection, SelectionSampler

ENTRIES = 2**18
"""Probabilities of each law in a chunk: two megabytes, and what a rule makes of them is about as large."""


def verify_in_chunks(
    verifier: SelectionSampler, draft: AnyArray, target: AnyArray, drafts: AnyArray, uniforms: AnyArray
) -> Selection:
    """Apply a verifier to n positions, a chunk of them at a time; the result is that of one call.

    Parameters
    ----------
    verifier : SelectionSampler
    draft, target : array, shape (n, V)
        May be memory-mapped: every row is read once.
    drafts : array of int64, shape (n, k)
    uniforms : array, shape (n, k + 1)
    """
    xp = array_namespace(draft, target, drafts, uniforms)
    step = max(1, ENTRIES // draft.shape[-1])
    chunks = [slice(start, start + step) for start in range(0, draft.shape[0], step)]
    found = [verifier(draft[rows], target[rows], drafts[rows], uniforms[rows]) for rows in chunks]
    tokens, accepted = zip(*found, strict=True)
    return Selection(xp.concat(tokens), xp.concat(accepted))
