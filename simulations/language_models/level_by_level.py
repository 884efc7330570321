"""Selection level by level: what speculative decoding, the batch rule and SpecTr do with a round of drafts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from specproof.simulations.language_models.round_rule import LevelTest, Round, Selected
from specproof.simulations.language_models.uniforms import Uniforms
from specproof.simulations.samplers import recursive, single
from specproof.simulations.samplers.inversion import invert
from specproof.simulations.samplers.selection import Selection, SelectionSampler
from specproof.simulations.samplers.sequences import Survivors, agreeing, verify_level
from specproof.theory.drafts import one_num_drafts


@dataclass(frozen=True)
class LevelByLevel:
    """Put the next tokens of the draft sequences that are alive to a rule for one position, level by level.

    A round ends at the first level where the rule accepts none, with the token drawn in their place; after all L
    levels, if ``bonus``, with one more token from the target. By itself this is speculative decoding (Leviathan et al.
    2023, Algorithm 1; Chen et al. 2023, Algorithm 2; without the bonus token Yin et al. 2024, Algorithm 1), and with
    several sequences SpecTr (Sun et al. 2023, Algorithm 3). :func:`batch_rule` is a third rule.

    Raises
    ------
    InvalidInput
        If the number of drafts is not an integer >= 1.
    """

    verifier: SelectionSampler = single.verify
    """The rule for the drafts of one position, for any number of them up to ``num_drafts``."""
    num_drafts: int = 1
    """How many sequences are drafted for a text, K >= 1."""
    bonus: bool = True
    """Whether a round that is accepted to its end emits one more token, drawn from the target."""
    survivors: Survivors = agreeing
    """Which sequences live on after a level."""
    only_after_rejection: bool = False
    """Whether the K sequences are drafted only at the start and after a rejection, and otherwise a single one."""

    def __post_init__(self) -> None:
        """Refuse a number of drafts that is not an integer >= 1."""
        one_num_drafts(self.num_drafts)

    def num_sequences(self, restart: Tensor) -> Tensor:
        """Say how many sequences to draft for each text, shape (R,)."""
        several = restart if self.only_after_rejection else torch.ones_like(restart)
        return torch.where(several, self.num_drafts, 1)

    def select(self, offered: Round, uniforms: Uniforms) -> Selected:
        """Emit what the rule accepts or draws, one token of every text that goes on at each level."""
        count, sequences, length = offered.tokens.shape
        numbers, last = uniforms((count, length, sequences + 1)), uniforms((count,)) if self.bonus else None
        alive = offered.drawn.clone()
        sequence, accepted = (torch.zeros_like(offered.text) for _ in range(2))
        members = torch.arange(count, device=alive.device)
        for level in range(length):
            test = self._test(offered, members, sequence[members], alive[members], level, numbers[members, level])
            going = offered.emit(members, test.selection.tokens, test)
            passed = test.selection.accepted >= 0
            alive[members] = self.survivors(test.alive, test.drafts, test.selection)
            accepted[members] += passed
            sequence[members] = torch.where(passed, alive[members].int().argmax(dim=1), sequence[members])
            members = members[passed & going]
            if not len(members):
                break
        if last is not None and len(members):
            offered.emit(members, invert(offered.target(members, sequence[members], length), last[members]))
        return Selected(sequence, accepted)

    def _test(
        self, offered: Round, members: Tensor, sequence: Tensor, alive: Tensor, level: int, uniforms: Tensor
    ) -> LevelTest:
        draft, target = offered.draft(members, sequence, level), offered.target(members, sequence, level)
        drafts, texts = offered.tokens[members, :, level], offered.text[members]
        selection = self._choose(texts, draft, target, drafts, alive, uniforms)
        return LevelTest(level, draft, target, drafts, alive, selection, texts)

    def _choose(
        self, texts: Tensor, draft: Tensor, target: Tensor, drafts: Tensor, alive: Tensor, uniforms: Tensor
    ) -> Selection:
        """Put the drafts of one position of these texts to the rule."""
        del texts
        return verify_level(draft, target, drafts, alive, uniforms, self.verifier)


@dataclass(frozen=True)
class SideBySide(LevelByLevel):
    """One decode of texts that are each verified by a rule of its own."""

    verifiers: tuple[SelectionSampler, ...] = ()
    """The rules for one position; ``verifier`` is not used."""
    chosen: Sequence[int] = ()
    """Which of them verifies each text of the decode, by number."""

    def _choose(
        self, texts: Tensor, draft: Tensor, target: Tensor, drafts: Tensor, alive: Tensor, uniforms: Tensor
    ) -> Selection:
        tokens, accepted = torch.empty_like(texts), torch.empty_like(texts)
        numbers = torch.tensor(self.chosen, device=texts.device)[texts]
        for number, verifier in enumerate(self.verifiers):
            rows = (numbers == number).nonzero()[:, 0]
            if len(rows):
                tokens[rows], accepted[rows] = verify_level(
                    draft[rows], target[rows], drafts[rows], alive[rows], uniforms[rows], verifier
                )
        return Selection(tokens, accepted)


def batch_rule(num_drafts: int, verifier: SelectionSampler = recursive.verify) -> LevelByLevel:
    """Make the batch rule of Yin et al. 2024, Algorithm 3.

    At the start and after each rejection M sequences are drafted. Their first tokens are tried in turn, by recursive
    rejection; the accepted one is followed alone until its next rejection, and drafted on where it is used up.
    """
    return LevelByLevel(verifier, num_drafts, bonus=False, survivors=the_accepted, only_after_rejection=True)


def the_accepted(alive: Tensor, drafts: Tensor, selection: Selection) -> Tensor:
    """Keep the accepted sequence alone alive, shape (n, K), also where another carries the same token."""
    del drafts
    place = torch.arange(alive.shape[1], device=alive.device)
    followed: Tensor = place == selection.accepted[:, None]
    return followed
