"""Language models that keep the prompts they have read: several experiments start from the same ones."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field, fields

from specproof.simulations.language_models.model import CachedModel, LanguageModel

KEPT = 12
"""So many passes over prompts are kept, some megabytes each: those over two groups of 28 prompts, and a few more."""


@dataclass(frozen=True)
class KeepingModel(LanguageModel):
    """A language model that reads the same prompts once, and goes on from copies.

    A pass is read again only with the very same prompts in it, as what is read depends in its last bits on what is
    read beside it: so a text is the same whether or not its prompts were kept.
    """

    passes: OrderedDict[tuple[tuple[int, ...], ...], CachedModel] = field(
        default_factory=OrderedDict, repr=False, compare=False
    )
    """What was read, by its texts, the latest last."""

    @classmethod
    def of(cls, model: LanguageModel) -> KeepingModel:
        """Give the same model, so that it keeps prompts."""
        return cls(**{each.name: getattr(model, each.name) for each in fields(LanguageModel)})

    def read_together(self, texts: list[tuple[int, ...]]) -> CachedModel:
        """Read texts, or give them as they were read before: they are copied before anything is appended."""
        asked = tuple(texts)
        read = self.passes.pop(asked, None) or super().read_together(texts)
        self.passes[asked] = read
        if len(self.passes) > KEPT:
            self.passes.popitem(last=False)
        return read
