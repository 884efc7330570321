"""What the decoding loop asks of a model: distributions of next tokens, and texts that can be taken back."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor

from specproof.theory.sampling_settings import SamplingSettings


class NextTokenModel(Protocol):
    """A source of next-token distributions: a language model, or a draft that is none."""

    @property
    def vocabulary(self) -> int:
        """How many tokens there are to choose from, V."""

    @property
    def device(self) -> str:
        """The torch device of its distributions."""

    @property
    def eos_ids(self) -> tuple[int, ...]:
        """The tokens that end a text; empty if there are none."""

    def law(self, logits: Tensor) -> Tensor:
        """Give float64 distributions for the logits of :meth:`ReadTexts.append`, shape (..., V)."""

    def require_room(self, positions: int, columns: int) -> None:
        """Refuse texts of so many positions, or columns of a cache, if the model cannot read them."""

    def under(self, settings: SamplingSettings) -> NextTokenModel:
        """Give the same model with other sampling settings."""

    def read(self, texts: list[list[int]]) -> ReadTexts:
        """Begin with these texts, which may be empty."""


class ReadTexts(Protocol):
    """A batch of texts that a model has read, each free to advance and to be taken back by its own number of tokens."""

    @property
    def model(self) -> NextTokenModel:
        """Whose texts they are."""

    def append(self, tokens: Tensor, keep: Tensor, last: int = 0) -> Tensor:
        """Read m new columns of which ``keep`` marks what is no padding, and give the logits after each of them."""

    def worth_drafting(self, length: int, tokens: Tensor, keep: Tensor) -> int:
        """Cut a round's draft length to what is worth it once these columns are read; it depends on them alone."""

    def forget(self, count: Tensor) -> None:
        """Take back the last ``count[b]`` tokens of each text b."""

    def select(self, rows: Tensor) -> None:
        """Go on with these texts in this order: some may be left out, others taken several times."""
