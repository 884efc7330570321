"""What ``generate`` prepares for a decode, as parts of the loop: texts, distributions, and who is told of tokens."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers.generation import GenerateDecoderOnlyOutput

from specproof.simulations.language_models.next_token_model import NextTokenModel
from specproof.simulations.language_models.prefixes import Prefixes
from specproof.simulations.language_models.round_rule import LevelTest, Selected
from specproof.simulations.language_models.texts import Texts


@dataclass
class SpeculativeOutput(GenerateDecoderOnlyOutput):  # type: ignore[misc]
    """What ``generate`` returns with ``return_dict_in_generate=True``: ``sequences``, and what the rule did.

    Attributes
    ----------
    rejected : bool tensor, shape (B, T)
        Whether all drafts of each emitted position were rejected; False after a text's end.
    target_calls : int64 tensor, shape (B,)
        How many forward passes of the target each text took. Reading the prompt is not counted.

    Examples
    --------
    >>> import torch
    >>> from transformers import LlamaConfig, LlamaForCausalLM
    >>> size = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    >>> config = LlamaConfig(vocab_size=8, eos_token_id=None, **size)
    >>> model, assistant = LlamaForCausalLM(config).eval(), LlamaForCausalLM(config).eval()
    >>> from specproof.transformers import speculative
    >>> options = {"do_sample": True, "max_new_tokens": 4, "return_dict_in_generate": True}
    >>> output = model.generate(torch.tensor([[1, 2, 3]]), custom_generate=speculative(assistant), **options)
    >>> output.rejected.shape, output.target_calls.shape
    (torch.Size([1, 4]), torch.Size([1]))
    """

    rejected: Tensor | None = None
    target_calls: Tensor | None = None


class GeneratedTexts:
    """The texts of one call of ``generate``, with its processors, stopping criteria and streamer.

    A processor or criterion wants texts of one length, and may know a row by its number in the batch (as the padding
    lengths of a repetition penalty do), while ours differ in length and are several to a text. So each is called with
    all texts, cut to one length at a time, and only the rows of that length are used.

    Parameters
    ----------
    prompts : int64 tensor, shape (B, W)
        On the models' device.
    config, processors, criteria, streamer
        Those of ``generate``.
    """

    def __init__(self, prompts: Tensor, config: Any, processors: Any, criteria: Any, streamer: Any) -> None:
        count, start = prompts.shape
        self._processors, self._criteria, self._streamer = processors, criteria, streamer
        # Without a pad token no text ends before the others, and nothing is ever padded.
        pad = 0 if config._pad_token_tensor is None else int(config._pad_token_tensor)
        tokens = torch.full((count, config.max_length), pad, device=prompts.device)
        tokens[:, :start] = prompts
        self.texts = Texts(tokens, start, config.max_length - start, self._ended)
        self._rejected = torch.zeros_like(tokens, dtype=torch.bool)
        self._target_calls = torch.zeros_like(self.texts.lengths)
        if streamer is not None:
            streamer.put(prompts.cpu())

    def distributions(self, _model: NextTokenModel, logits: Tensor, prefixes: Prefixes) -> Tensor:
        """Float64 distributions of the next tokens, shape (n, V), processed as ``generate`` would do it.

        A row is NaN where the processors leave no token, as they may beyond the end of a text.
        """
        scores = logits.to(torch.float32, copy=True)
        place = torch.arange(len(scores), device=scores.device)
        copy = place - torch.searchsorted(prefixes.text, prefixes.text)
        for chosen in _alike(prefixes.length, copy):
            owners = prefixes.text[chosen]
            length = int(prefixes.length[chosen[0]])
            ids = torch.nn.functional.pad(self.texts.tokens[:, :length], (0, prefixes.tail.shape[1]))
            raw = scores.new_zeros((len(ids), scores.shape[1]))
            ids[owners, length:], raw[owners] = prefixes.tail[chosen], scores[chosen]
            scores[chosen] = self._processors(ids, raw)[owners]
        return torch.softmax(scores.to(torch.float64), dim=-1)

    def emitted(self, texts: Tensor, tokens: Tensor, test: LevelTest | None) -> None:
        """Stream the tokens."""
        del texts, test
        if self._streamer is not None:
            self._streamer.put(tokens.cpu())

    def completed(self, texts: Tensor, selected: Selected, emitted: Tensor, length: int) -> None:
        """Count a call of the target for each of these texts, and note whose last token is in place of a draft."""
        self._target_calls[texts] += 1
        replaced = (selected.accepted < length) & (emitted > selected.accepted)
        self._rejected[texts[replaced], self.texts.lengths[texts[replaced]] - 1] = True

    def finish(self, device: torch.device, as_dict: bool) -> Tensor | SpeculativeOutput:
        """End the stream, and give what ``generate`` is to return."""
        if self._streamer is not None:
            self._streamer.end()
        longest = int(self.texts.lengths.max())
        sequences = self.texts.tokens[:, :longest].to(device)
        if not as_dict:
            return sequences
        return SpeculativeOutput(
            sequences=sequences,
            rejected=self._rejected[:, self.texts.start : longest].to(device),
            target_calls=self._target_calls.to(device),
        )

    def _ended(self, texts: Tensor, _tokens: Tensor) -> Tensor:
        ended = torch.zeros_like(texts, dtype=torch.bool)
        for chosen in _alike(self.texts.lengths[texts], torch.zeros_like(texts)):
            grown = texts[chosen]
            ended[chosen] = self._criteria(self.texts.tokens[:, : int(self.texts.lengths[grown[0]])], None)[grown]
        return ended


def _alike(lengths: Tensor, copy: Tensor) -> Iterator[Tensor]:
    """Yield the rows of each length and each copy, so that no text is named twice."""
    keys = lengths * (copy.max() + 1) + copy
    for key in torch.unique(keys):
        yield (keys == key).nonzero()[:, 0]
