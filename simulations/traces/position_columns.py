"""What the rules need at each position of a text, from both distributions there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from specproof.simulations.samplers.recursive_without_replacement import accepted_at_distinct
from specproof.simulations.traces.trace import ACCEPTED_DISTINCT, AGREEMENT
from specproof.theory.distribution import Array
from specproof.theory.verifiers import VERIFIERS
from specproof.theory.verifiers.at_tokens import agreement_at

ONE_DRAFT = "single"
"""With it, sequences beyond the first are ignored: its prices need the log-probabilities alone."""


def traced_verifiers() -> tuple[str, ...]:
    """Name the verifiers whose agreement a trace holds: all that are registered, but the one of a single draft."""
    return tuple(name for name in VERIFIERS if name != ONE_DRAFT)


def columns(
    draft: Array,
    target: Array,
    tokens: NDArray[np.int64],
    num_drafts: int,
    rng: np.random.Generator,
    verifiers: Sequence[str] | None = None,
) -> dict[str, NDArray[np.generic]]:
    """Measure n positions, of whatever texts.

    Parameters
    ----------
    draft, target : array, shape (n, V)
        Trusted to be distributions.
    tokens : int array, shape (n,)
        The texts' own tokens there, of positive probability under the target.
    num_drafts : int
        K: agreement for 1 to so many drafts; 0 for none.
    rng : numpy Generator
        Draws the histories of distinct drafts.
    verifiers : sequence of str, optional
        The verifiers whose agreement is wanted, by default :func:`traced_verifiers`.

    Returns
    -------
    dict
        The columns of :class:`~specproof.simulations.traces.trace.Trace` from ``draft_logprob`` on, of shape (n,) or
        (n, m).
    """
    rows = np.arange(len(tokens))
    proposed, wanted = draft[rows, tokens], target[rows, tokens]
    overlap = np.minimum(np.minimum(draft, target).sum(axis=-1), 1.0)
    with np.errstate(divide="ignore"):  # log 0: a token that the draft never proposes
        logarithms = {"draft_logprob": np.log(proposed), "target_logprob": np.log(wanted)}
    found: dict[str, NDArray[np.generic]] = {
        **{name: np.minimum(values, 0.0) for name, values in logarithms.items()},
        **dict.fromkeys(("overlap", "overlap_low", "overlap_high"), overlap),
        "draft_rank": _ranks(draft, tokens, proposed),
    }
    if num_drafts:
        below = np.tril_indices(num_drafts)
        for name in traced_verifiers() if verifiers is None else verifiers:
            found[f"{AGREEMENT}{name}"] = agreement_at(VERIFIERS[name], draft, target, tokens, num_drafts)[:, *below]
        found[ACCEPTED_DISTINCT] = accepted_at_distinct(draft, target, tokens, num_drafts, rng)
    return found


def _ranks(draft: Array, tokens: NDArray[np.int64], proposed: Array) -> NDArray[np.int64]:
    """Count the tokens that are likelier under the draft, or as likely and of a smaller id."""
    likelier = draft > proposed[:, np.newaxis]
    tied = (draft == proposed[:, np.newaxis]) & (np.arange(draft.shape[-1]) < tokens[:, np.newaxis])
    ranks: NDArray[np.int64] = np.count_nonzero(likelier | tied, axis=-1)
    return ranks
