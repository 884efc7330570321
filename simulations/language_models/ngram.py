"""A draft that is no model: what followed the last tokens where they stood before in the text (prompt lookup)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from specproof.theory.sampling_settings import SamplingSettings


@dataclass(frozen=True)
class NGramModel:
    """The point mass on what followed the longest match of the text's last tokens, at its latest place.

    Matches of ``longest`` tokens are looked for first, then shorter ones. Where not even the last token stood before,
    the draft is that token again, and no round is drafted for its sake: see :meth:`NGramTexts.worth_drafting`. The rule
    for a drawn draft is lossless for it, as for any draft: it is accepted with probability min(1, q/p), here q, the
    target's probability of the token.
    """

    vocabulary: int
    """How many tokens there are to choose from, V."""
    device: str
    """The torch device of its distributions."""
    longest: int = 3
    """How many of the last tokens are looked for at most, n >= 1."""
    settings: SamplingSettings = field(default_factory=SamplingSettings)
    """Those that texts are sampled under: a point mass is the same under any."""

    @property
    def eos_ids(self) -> tuple[int, ...]:
        """No token ends a text: that is for the target to say."""
        return ()

    def law(self, logits: Tensor) -> Tensor:
        """Give the float64 point masses whose logarithms these are, shape (..., V)."""
        return logits.to(torch.float64).exp()

    def require_room(self, positions: int, columns: int) -> None:
        """Do nothing: there is room for any text."""

    def under(self, settings: SamplingSettings) -> NGramModel:
        """Give the same draft with other settings."""
        return replace(self, settings=settings)

    def read(self, texts: list[list[int]]) -> NGramTexts:
        """Begin with these texts, which may be empty."""
        return NGramTexts(self, [text.copy() for text in texts])


class NGramTexts:
    """Texts that are read by an :class:`NGramModel`, each free to advance and to be taken back."""

    def __init__(self, model: NGramModel, texts: list[list[int]]) -> None:
        self.model = model
        self._texts = texts

    def append(self, tokens: Tensor, keep: Tensor, last: int = 0) -> Tensor:
        """Read m new columns, and give the logarithms of the point masses after each or the last of them.

        The arguments are those of :meth:`specproof.simulations.language_models.model.CachedModel.append`.
        """
        found = []
        for text, row, kept in zip(self._texts, tokens.tolist(), keep.tolist(), strict=True):
            for token, is_kept in zip(row, kept, strict=True):
                text += [token] * is_kept
                found.append(continuation(text, self.model.longest) or text[-1:] or [0])
        places = torch.tensor(found, device=tokens.device).reshape(tokens.shape)[:, -last:]
        logits = torch.full((*places.shape, self.model.vocabulary), -torch.inf, device=tokens.device)
        return logits.scatter_(-1, places[..., None], 0.0)

    def worth_drafting(self, length: int, tokens: Tensor, keep: Tensor) -> int:
        """Give back the draft length, or 0 if no text has a match once it has read these columns."""
        rows = zip(self._texts, tokens.tolist(), keep.tolist(), strict=True)
        grown = (text + [t for t, kept in zip(row, keeps, strict=True) if kept] for text, row, keeps in rows)
        return length if any(continuation(text, self.model.longest) for text in grown) else 0

    def forget(self, count: Tensor) -> None:
        """Take back the last ``count[b]`` tokens of each text b."""
        for text, tokens in zip(self._texts, count.tolist(), strict=True):
            del text[len(text) - tokens :]

    def select(self, rows: Tensor) -> None:
        """Go on with these texts in this order."""
        self._texts = [self._texts[row].copy() for row in rows.tolist()]


def continuation(text: list[int], longest: int) -> list[int]:
    """Find the token that followed the longest match of the text's end, as a list of one; empty without a match.

    Examples
    --------
    >>> continuation([1, 2, 3, 9, 2, 3, 7, 1, 2, 3], longest=3)
    [9]
    >>> continuation([1, 2, 3, 9, 2, 3, 7, 1, 2, 3], longest=2)
    [7]
    >>> continuation([1, 2, 3], longest=3)
    []
    """
    for length in range(min(longest, len(text) - 1), 0, -1):
        sought = text[-length:]
        for place in range(len(text) - length - 1, -1, -1):
            if text[place : place + length] == sought:
                return [text[place + length]]
    return []
