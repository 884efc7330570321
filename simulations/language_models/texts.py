"""The texts of a decode as they grow, and what can be asked of it at all."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from specproof.simulations.language_models.next_token_model import NextTokenModel
from specproof.theory.errors import InvalidInput

Prompts = list[list[int]]
"""Token ids of each prompt, never empty; lengths may differ."""

Ends = Callable[[Tensor, Tensor], Tensor]
"""``ends(texts, tokens)``: which of n texts, given by number, end with the tokens just appended to them, shape (n,)."""


class Texts:
    """B texts that grow side by side, each until it ends or has ``horizon`` new tokens.

    Parameters
    ----------
    tokens : int64 tensor, shape (B, W)
        Where the texts are written: ``start`` columns hold what is given, the others what stands after a text's end.
    start : int
        Tokens given.
    horizon : int
        A text stops after this many new tokens, with ``whole_rounds`` only with the round in which it has them.
    ends : callable
        Which texts end before that.
    whole_rounds : bool
        Draft and emit as many tokens in every round, also where the horizon is nearer, so that all rounds of a run are
        alike and their mean is not biased by the last one.
    """

    def __init__(self, tokens: Tensor, start: int, horizon: int, ends: Ends, whole_rounds: bool = False) -> None:
        self.tokens, self.start, self.whole_rounds = tokens, start, whole_rounds
        self.longest = start + horizon
        self.lengths = torch.full((len(tokens),), start, dtype=torch.int64, device=tokens.device)
        self.going = torch.ones(len(tokens), dtype=torch.bool, device=tokens.device)
        self._ends = ends

    def append(self, texts: Tensor, tokens: Tensor) -> None:
        """Append a token to each of these texts, and stop those that it completes."""
        self.tokens[texts, self.lengths[texts]] = tokens
        self.lengths[texts] += 1
        complete = self._ends(texts, tokens)
        if not self.whole_rounds:
            complete = complete | (self.lengths[texts] >= self.longest)
        self.going[texts] = ~complete

    def last(self, texts: Tensor) -> Tensor:
        """Look up the last token of each of these texts."""
        return self.tokens[texts, self.lengths[texts] - 1]

    def to_draft(self, texts: Tensor, length: int) -> int:
        """Cut a round's draft length to what the furthest from the horizon among these texts can use."""
        return length if self.whole_rounds else min(length, self.longest - int(self.lengths[texts].min()))

    def unfinished(self, texts: Tensor) -> Tensor:
        """Tell which of these texts need another round."""
        return self.going[texts] & (self.lengths[texts] < self.longest)


def ends_text(tokens: Tensor, target: NextTokenModel) -> Tensor:
    """Tell which tokens are end-of-text tokens of the target."""
    return torch.isin(tokens, torch.tensor(target.eos_ids, dtype=tokens.dtype, device=tokens.device))


def check_request(
    prompts: Prompts, horizon: int, models: tuple[NextTokenModel, ...], overhang: int = 0, columns_per_token: int = 1
) -> None:
    """Refuse a decode that cannot be done.

    Raises
    ------
    InvalidInput
        If there are no prompts, one is empty, the horizon is below 1, or a model's context is too short for the
        longest prompt, the horizon and ``overhang`` more tokens.
    """
    if not prompts:
        raise InvalidInput("prompts is empty: give at least one")
    for index, prompt in enumerate(prompts):
        if not prompt:
            raise InvalidInput(f"prompts[{index}] has no tokens: give it at least the beginning-of-text token")
    if horizon < 1:
        raise InvalidInput(f"horizon is {horizon}: decode at least one token")
    longest = max(map(len, prompts))
    for model in models:
        model.require_room(longest + horizon + overhang, longest + horizon * columns_per_token)
