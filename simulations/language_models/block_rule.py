"""Block verification as a rule of the decoding loop: how much of a drafted sequence is kept is decided at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from specproof.simulations.language_models.round_rule import Round, Selected
from specproof.simulations.language_models.uniforms import Uniforms
from specproof.simulations.samplers.inversion import invert
from specproof.simulations.samplers.whole_blocks import (
    accepted_length,
    next_weight,
    replacement_weights,
    residual_mass,
)
from specproof.theory.errors import InvalidInput

NO_TOKEN_LEFT = "the logits processors leave no token, or not a number, somewhere: loosen them"
"""What is refused where a text that goes on has no distribution."""


@dataclass(frozen=True)
class BlockVerification:
    """Draft one sequence for a text, and keep as much of it as block verification does.

    The rule is that of :mod:`specproof.simulations.samplers.whole_blocks`. No position is put to a test of its own, so
    none is recorded. Distributions are looked at one level at a time, for all texts of the round together. Without the
    bonus token a block that is kept whole ends the round, and the target's distribution after it is that of the next
    round's first token. (Sun et al. 2024, Algorithm 2.)
    """

    bonus: bool = True
    """Whether a round that is kept to its end emits one more token, drawn from the target."""

    def num_sequences(self, restart: Tensor) -> Tensor:
        """Say that one sequence is drafted for each text, shape (R,)."""
        return torch.ones_like(restart, dtype=torch.int64)

    def select(self, offered: Round, uniforms: Uniforms) -> Selected:
        """Emit what is kept of the drafted tokens of each text, and the token after them."""
        count, _, length = offered.tokens.shape
        numbers = uniforms((count, length + 1))
        weights, kept = self._kept(offered, numbers)
        sequence = torch.zeros_like(kept)

        def after(ended: Tensor, level: int) -> Tensor:
            law = self._replacement(offered, ended, level, weights[ended, level])
            tokens: Tensor = invert(law, numbers[ended, -1])
            return tokens

        accepted, whole = emit_kept(offered, sequence, kept, after)
        if self.bonus and len(whole):
            law = finite(offered.target(whole, sequence[whole], length))
            offered.emit(whole, invert(law, numbers[whole, -1]))
        return Selected(sequence, accepted)

    def _kept(self, offered: Round, numbers: Tensor) -> tuple[Tensor, Tensor]:
        """Give the chances that each beginning of the block is kept, shape (R, L + 1), and how many tokens are."""
        count, _, length = offered.tokens.shape
        members = torch.arange(count, device=numbers.device)
        weights, masses = [torch.ones_like(numbers[:, 0])], []
        for level in range(length):
            draft, target = (source(members, 0 * members, level) for source in (offered.draft, offered.target))
            # Beyond the end of a text there may be no distribution: there the block ends.
            there = torch.isfinite(draft).all(dim=1) & torch.isfinite(target).all(dim=1)
            masses.append(torch.where(there, residual_mass(weights[-1], draft, target), weights[-1]))
            grown = next_weight(weights[-1], draft, target, offered.tokens[:, 0, level])
            weights.append(torch.where(there, grown, 0.0))
        chances = torch.stack(weights, dim=1)
        if not length:
            return chances, torch.zeros_like(members)
        return chances, accepted_length(chances, torch.stack([*masses, weights[-1]], dim=1), numbers)

    def _replacement(self, offered: Round, members: Tensor, level: int, weight: Tensor) -> Tensor:
        draft, target = (source(members, 0 * members, level) for source in (offered.draft, offered.target))
        return finite(replacement_weights(weight, draft, target))


def emit_kept(
    offered: Round, sequence: Tensor, kept: Tensor, after: Callable[[Tensor, int], Tensor]
) -> tuple[Tensor, Tensor]:
    """Emit so many tokens of one sequence of each text, and a token after those that are not kept whole.

    Parameters
    ----------
    offered : Round
    sequence, kept : Tensor, shape (R,)
    after : callable
        ``after(members, level)`` makes the token that follows ``level`` kept tokens of these members.

    Returns
    -------
    Tensor, shape (R,)
        How many tokens of the sequence were emitted: fewer than kept where the text ended.
    Tensor
        The members that were kept whole and have not ended.
    """
    accepted = torch.zeros_like(kept)
    members = torch.arange(len(kept), device=kept.device)
    for level in range(offered.tokens.shape[2]):
        ended = members[kept[members] == level]
        if len(ended):
            offered.emit(ended, after(ended, level))
        members = members[kept[members] > level]
        if not len(members):
            break
        going = offered.emit(members, offered.tokens[members, sequence[members], level])
        accepted[members] += 1
        members = members[going]
    return accepted, members


def finite(law: Tensor) -> Tensor:
    """Give back distributions that tokens can be drawn from.

    Raises
    ------
    InvalidInput
        If a number is not finite.
    """
    if not torch.isfinite(law).all():
        raise InvalidInput(NO_TOKEN_LEFT)
    return law
