"""Two language models over one vocabulary, and the settings that both are sampled under."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from specproof.simulations.language_models.model import LanguageModel
from specproof.simulations.language_models.next_token_model import NextTokenModel
from specproof.simulations.language_models.ngram import NGramModel
from specproof.theory.numbers import positive_number
from specproof.theory.sampling_settings import SamplingSettings


@dataclass(frozen=True)
class ModelPair:
    """Two language models over one vocabulary, ready to be decoded."""

    name: str
    draft: NextTokenModel
    target: LanguageModel
    tokenizer: Any
    own_temperature: float = 1.0
    """What the draft divides its logits by before any settings: T of a pair ``temperature:T``."""

    @property
    def looks_up(self) -> int:
        """How many of the last tokens the draft looks for in the text; 0 if it is a model."""
        return self.draft.longest if isinstance(self.draft, NGramModel) else 0

    def with_settings(self, settings: SamplingSettings, draft_temperature: float | None = None) -> ModelPair:
        """Sample from both models under these settings, whatever the pair's were.

        Parameters
        ----------
        settings : SamplingSettings
        draft_temperature : float, optional
            The draft's temperature; that of the settings if it is left out. Either is multiplied by the draft's own.

        Raises
        ------
        InvalidInput
            If the draft's temperature is not a positive finite number.
        """
        given = settings.temperature if draft_temperature is None else draft_temperature
        temperature = positive_number(given, "draft_temperature") * self.own_temperature
        draft = self.draft.under(replace(settings, temperature=temperature))
        return replace(self, draft=draft, target=self.target.under(settings))
