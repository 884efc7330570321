"""A language model as a source of next-token distributions, and a cache from which rejected tokens are taken back."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad
from transformers import DynamicCache

from specproof.simulations.language_models.next_token_model import NextTokenModel, ReadTexts
from specproof.theory.errors import InvalidInput
from specproof.theory.sampling_settings import SamplingSettings

READ_TOGETHER = 8
"""This many prompts are read in one pass: enough to make good use of the weights, which are read once for all."""


@dataclass(frozen=True)
class LanguageModel:
    """A causal language model and how its logits become probabilities."""

    module: Any
    """A transformers causal language model, in evaluation mode."""
    vocabulary: int
    """How many tokens there are to choose from, V.

    A model may be padded to more: its other logits do not count. One that knows fewer never draws the others, and
    reads its last token in their place.
    """
    device: str
    """The torch device of its parameters."""
    settings: SamplingSettings = field(default_factory=SamplingSettings)
    """How logits become the distribution that tokens are drawn from."""

    @property
    def eos_ids(self) -> tuple[int, ...]:
        """The tokens that end a text, from the model's generation settings; empty if it has none."""
        configured = self.module.generation_config.eos_token_id
        if configured is None:
            return ()
        return (configured,) if isinstance(configured, int) else tuple(configured)

    def readable(self, tokens: Tensor) -> Tensor:
        """Put the model's last token in place of those of the vocabulary that it does not know."""
        known: int = self.module.get_input_embeddings().weight.shape[0]
        return tokens.clamp(max=known - 1) if known < self.vocabulary else tokens

    def law(self, logits: Tensor) -> Tensor:
        """Float64 distributions of the next token on the logits' device, shape (..., V), under the settings."""
        distributions: Tensor = self.settings.distribution(logits)
        return distributions

    def under(self, settings: SamplingSettings) -> LanguageModel:
        """Give the same model with other settings."""
        return replace(self, settings=settings)

    def read(self, texts: list[list[int]]) -> CachedModel:
        """Begin with these texts, which may be empty.

        Equal ones are read once. The others are read a few at a time, in the order of their lengths, so that little of
        a pass is padding.
        """
        distinct = sorted(set(map(tuple, texts)), key=lambda text: (len(text), text))
        passes = range(0, len(distinct), READ_TOGETHER)
        parts = [self.read_together(distinct[first : first + READ_TOGETHER]) for first in passes]
        cached = CachedModel.joined(self, parts)
        place = {text: row for row, text in enumerate(distinct)}
        cached.select(torch.tensor([place[tuple(text)] for text in texts], device=self.device))
        return cached

    def read_together(self, texts: list[tuple[int, ...]]) -> CachedModel:
        """Read texts of much the same length, once what all of them begin with, and the rest padded on the left."""
        cached = CachedModel(self, 1)
        differing = (place for place, tokens in enumerate(zip(*texts, strict=False)) if len(set(tokens)) > 1)
        shared = next(differing, min(map(len, texts)))
        _feed(cached, [texts[0][:shared]])
        cached.select(torch.zeros(len(texts), dtype=torch.int64, device=self.device))
        _feed(cached, [text[shared:] for text in texts])
        return cached

    def require_room(self, positions: int, columns: int) -> None:
        """Refuse a decode that the model's context is too short for.

        Parameters
        ----------
        positions : int
            Length of the longest sequence.
        columns : int
            Columns of the cache, rejected ones included: what a sliding window counts, so that it would close early.

        Raises
        ------
        InvalidInput
            If ``positions`` exceeds the context length, or ``columns`` the sliding window of an attention layer.
        """
        config = self.module.config
        context = getattr(config, "max_position_embeddings", None)
        # Without layer types, a window that is set holds for every layer.
        slides = "sliding_attention" in (getattr(config, "layer_types", None) or ["sliding_attention"])
        window = getattr(config, "sliding_window", None) if slides else None
        for name, needed, available in (("context", positions, context), ("sliding window", columns, window)):
            if available is not None and needed > available:
                raise InvalidInput(
                    f"the decode needs {needed} cache columns, but the model has a {name} of {available}: "
                    "shorten the prompts or the horizon"
                )


class CachedModel:
    """A batch of sequences being decoded, each free to advance and to be taken back by its own number of tokens.

    Nothing is ever cut from the key-value cache, since rows of one batch keep different numbers of tokens. Each row
    has a mask of the columns that belong to it; the others, padding and rejected tokens alike, are never attended to,
    and a token's position is the number of its row's columns before it.
    """

    def __init__(self, model: LanguageModel, batch: int) -> None:
        self.model = model
        self._cache = DynamicCache(config=model.module.config)
        self._kept = torch.zeros((batch, 0), dtype=torch.bool, device=model.device)

    @torch.inference_mode()
    def append(self, tokens: Tensor, keep: Tensor, last: int = 0) -> Tensor:
        """Feed m new columns and return the logits that follow each of them.

        Parameters
        ----------
        tokens : int64 tensor, shape (B, m)
        keep : bool tensor, shape (B, m)
            False marks padding, wherever it stands: it is never attended to, and its logits mean nothing (but are
            finite). Its token must be a valid id.
        last : int
            Return the logits of only this many columns from the end; 0 returns all.

        Returns
        -------
        float32 tensor, shape (B, m, V) or (B, last, V)
        """
        before = self._kept.sum(dim=1, keepdim=True)
        self._kept = torch.cat([self._kept, keep], dim=1)
        positions = (before + keep.cumsum(dim=1) - 1).clamp(min=0)
        output = self.model.module(
            input_ids=self.model.readable(tokens),
            attention_mask=self._kept.to(torch.int64),
            position_ids=positions,
            past_key_values=self._cache,
            use_cache=True,
            logits_to_keep=last,
        )
        logits: Tensor = output.logits[..., : self.model.vocabulary]
        missing = self.model.vocabulary - logits.shape[-1]
        return pad(logits, (0, missing), value=-torch.inf) if missing else logits

    def worth_drafting(self, length: int, tokens: Tensor, keep: Tensor) -> int:
        """Give back the draft length: a model has something to say about any text."""
        del tokens, keep
        return length

    def forget(self, count: Tensor) -> None:
        """Take back the last ``count[b]`` kept columns of each row b; shape (B,), int64."""
        from_the_end = self._kept.flip(1).cumsum(dim=1).flip(1)
        self._kept = self._kept & (from_the_end > count[:, None])

    @classmethod
    def joined(cls, model: LanguageModel, parts: Sequence[CachedModel]) -> CachedModel:
        """Put copies of what a model has read below each other; the columns of shorter parts are the last."""
        counts, widths = zip(*(part._kept.shape for part in parts), strict=True)
        whole = cls(model, sum(counts))
        shifted = [max(widths) - width for width in widths]
        whole._kept = torch.cat([pad(part._kept, (shift, 0)) for part, shift in zip(parts, shifted, strict=True)])
        longest = parts[shifted.index(0)]._cache.layers if max(widths) else []
        for number, layer in enumerate(longest):
            # A part without columns has no tensors of its own.
            keys, values = (like.new_zeros((len(whole._kept), *like.shape[1:])) for like in (layer.keys, layer.values))
            for part, count, shift, end in zip(parts, counts, shifted, accumulate(counts), strict=True):
                if shift < max(widths):
                    keys[end - count : end, :, shift:] = part._cache.layers[number].keys
                    values[end - count : end, :, shift:] = part._cache.layers[number].values
            whole._cache.update(keys, values, number)
        return whole

    def select(self, rows: Tensor) -> None:
        """Go on with these rows in this order, shape (R,), int64: some may be left out, others taken several times."""
        if torch.equal(rows, torch.arange(len(self._kept), device=rows.device)):
            return
        self._kept = self._kept[rows]
        self._cache.batch_select_indices(rows)


def start(model: NextTokenModel, prompts: list[list[int]]) -> tuple[ReadTexts, Tensor]:
    """Feed all but the last token of each prompt, and return that last token, shape (B,), which is still to be fed."""
    read = model.read([prompt[:-1] for prompt in prompts])
    return read, torch.tensor([prompt[-1] for prompt in prompts], device=model.device)


def _feed(cached: CachedModel, texts: list[tuple[int, ...]]) -> None:
    longest = max(map(len, texts))
    if longest:
        device = cached.model.device
        tokens = torch.tensor([[0] * (longest - len(text)) + [*text] for text in texts], device=device)
        lengths = torch.tensor([len(text) for text in texts], device=device)
        cached.append(tokens, torch.arange(longest, device=device) >= longest - lengths[:, None], last=1)


def check_decodable(module: Any, name: str) -> None:
    """Refuse a model that cannot be decoded with :class:`CachedModel`.

    Raises
    ------
    InvalidInput
        If its forward pass takes no ``position_ids`` or ``logits_to_keep``, or it carries a recurrent state, which
        cannot be taken back.
    """
    accepted = inspect.signature(module.forward).parameters
    if getattr(module, "_is_stateful", False) or not {"position_ids", "logits_to_keep"} <= accepted.keys():
        raise InvalidInput(
            f"{name} is a {type(module).__name__}, whose cache cannot take back rejected tokens: "
            "choose a decoder-only transformer such as Llama, GPT-NeoX, Qwen or OPT"
        )
