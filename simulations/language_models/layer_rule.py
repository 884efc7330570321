"""Priority layer verification as a rule of the decoding loop: all drafted sequences of a text are weighed at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from specproof.simulations.language_models.block_rule import NO_TOKEN_LEFT, emit_kept, finite
from specproof.simulations.language_models.round_rule import Round, Selected
from specproof.simulations.language_models.uniforms import Uniforms
from specproof.simulations.samplers.inversion import invert
from specproof.simulations.samplers.priority_layers import Layered, verify
from specproof.theory.distribution import Array, normalise_or_zero
from specproof.theory.drafts import one_num_drafts
from specproof.theory.errors import InvalidInput
from specproof.theory.trees.layer_tree import LayerTree
from specproof.theory.verifiers.priority.shared import DEFAULT_TOLERANCE, useful_tolerance

_ENTRIES = 2**20
"""So many entries of distributions are laid out at a time, and at least those of one text."""


@dataclass(frozen=True)
class PriorityLayerVerification:
    """Draft K sequences for a text, and keep as much of one of them as priority layer verification does.

    The rule is that of :mod:`specproof.simulations.samplers.priority_layers`, for all levels of a round together; the
    weights are computed in NumPy, at large vocabularies within 1e-5 of the best. Distributions are made once for
    sequences that agree so far. With one sequence it is block verification. No position is put to a test of its own,
    so none is recorded.

    Raises
    ------
    InvalidInput
        If the number of drafts is not an integer >= 1.
    """

    num_drafts: int = 1
    """How many sequences are drafted for a text, K >= 1."""
    bonus: bool = True
    """Whether a round that is kept to its end emits one more token, drawn from the target."""

    def __post_init__(self) -> None:
        """Refuse a number of drafts that is not an integer >= 1."""
        one_num_drafts(self.num_drafts)

    def num_sequences(self, restart: Tensor) -> Tensor:
        """Say how many sequences are drafted for each text, shape (R,)."""
        return torch.full_like(restart, self.num_drafts, dtype=torch.int64)

    def select(self, offered: Round, uniforms: Uniforms) -> Selected:
        """Emit what is kept of the drafted tokens of each text, and the token after them."""
        count, _, length = offered.tokens.shape
        numbers = uniforms((count, length + 2))
        found = _kept(offered, numbers[:, :-1]) if length else np.zeros((3, count), dtype=np.int64)
        kept, sequence, tokens = (torch.as_tensor(part, device=numbers.device) for part in found)

        def after(ended: Tensor, level: int) -> Tensor:
            del level
            if (tokens[ended] < 0).any():
                raise InvalidInput(NO_TOKEN_LEFT)
            return tokens[ended]

        accepted, whole = emit_kept(offered, sequence, kept, after)
        if self.bonus and len(whole):
            law = finite(offered.target(whole, sequence[whole], length))
            offered.emit(whole, invert(law, numbers[whole, -1]))
        return Selected(sequence, accepted)


def _kept(offered: Round, numbers: Tensor) -> Layered:
    """What is kept of each text and of which sequence, and the token after it: -1 where nothing can come."""
    count, sequences, length = offered.tokens.shape
    size = offered.logits.shape[-1]
    step = max(1, _ENTRIES // (size * (sequences * length + 1)))
    members = torch.arange(count, device=numbers.device)
    chunks = [members[start : start + step] for start in range(0, count, step)]
    parts = [_kept_of(offered, some, numbers[some]) for some in chunks]
    return Layered(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def _kept_of(offered: Round, members: Tensor, numbers: Tensor) -> Layered:
    tokens = offered.tokens[members]
    count, sequences, length = tokens.shape
    size, tree = offered.logits.shape[-1], LayerTree.sequences(sequences, length)
    rows = np.zeros((2, count, sequences * length + 1, size))
    # Nothing is asked of the target after the last drafts: which of them ends the block is all that matters there.
    rows[1, :, :, 0] = 1.0
    there = np.ones((count, sequences * length + 1), dtype=np.bool_)
    for level in range(length):
        member, sequence = _distinct(tokens[:, :, :level])
        place = (member.cpu().numpy(), (1 + (level - 1) * sequences + sequence).cpu().numpy() if level else 0)
        laws = [source(members[member], sequence, level) for source in (offered.draft, offered.target)]
        known = np.stack([law.double().cpu().numpy() for law in laws])
        # Beyond the end of a text there may be no distribution: there the tree ends.
        finite = np.isfinite(known).all(axis=(0, 2))
        there[place] = finite
        rows[(0, *place)] = np.where(finite[:, np.newaxis], _normalised(known[0]), 0.0)
        rows[(1, *place)] = np.where(finite[:, np.newaxis], _normalised(known[1]), rows[(1, *place)])
    drafts: NDArray[np.int64] = tokens.transpose(1, 2).reshape(count, -1).cpu().numpy()
    tolerance = useful_tolerance(DEFAULT_TOLERANCE, size)
    found = verify(rows[0], rows[1], drafts, numbers.double().cpu().numpy(), tree, tolerance)
    after = np.where(there[np.arange(count), found.draft + 1], found.tokens, -1)
    return Layered(found.accepted, np.maximum(found.draft, 0) % sequences, after)


def _distinct(begun: Tensor) -> tuple[Tensor, Tensor]:
    """The members and sequences, each the first that begins with its tokens, of beginnings of shape (n, K, l)."""
    if not begun.shape[2]:
        begun = begun.new_zeros((*begun.shape[:2], 1))[:, :1]
    same = (begun[:, :, None] == begun[:, None, :]).all(dim=3)
    place = torch.arange(begun.shape[1], device=begun.device)
    first = same.int().argmax(dim=2)
    member, sequence = (first == place).nonzero(as_tuple=True)
    return member, sequence


def _normalised(rows: Array) -> Array:
    """Divide by the sums, which in float32 are off."""
    return normalise_or_zero(np.nan_to_num(rows, nan=0.0, posinf=0.0, neginf=0.0))
