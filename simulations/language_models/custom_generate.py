"""Our rules on any Hugging Face model, through the ``custom_generate`` argument of ``generate``.

People use these by way of :mod:`specproof.transformers`. Both models' logits go through the same processors
(temperature, top-k, ...), each with the text it belongs to, and every token is drawn from exactly the processed
distribution that is declared to the rule. Every emitted position is tested: there is no bonus token. Uniform numbers
are torch's, so ``torch.manual_seed`` makes a run repeatable.

The assistant is the rule's own. ``generate`` has an argument ``assistant_model``, which transformers does not hand on
to a custom_generate: it has no effect here, and cannot be refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from specproof.simulations.language_models.block_rule import NO_TOKEN_LEFT, BlockVerification
from specproof.simulations.language_models.decoding_loop import Decoding
from specproof.simulations.language_models.generate_request import check_assistant, check_generate, check_room
from specproof.simulations.language_models.generated_texts import GeneratedTexts, SpeculativeOutput
from specproof.simulations.language_models.layer_rule import PriorityLayerVerification
from specproof.simulations.language_models.level_by_level import LevelByLevel, batch_rule
from specproof.simulations.language_models.model import LanguageModel
from specproof.simulations.language_models.round_rule import RoundRule
from specproof.simulations.language_models.stopwatch import Stopwatch
from specproof.simulations.language_models.texts import Prompts
from specproof.simulations.language_models.uniforms import from_torch
from specproof.simulations.samplers import SAMPLERS, recursive, single
from specproof.simulations.samplers.inversion import AnyArray
from specproof.simulations.samplers.selection import Selection, SelectionSampler
from specproof.theory.errors import InvalidInput
from specproof.theory.integers import positive_integer


def speculative(
    assistant: Any,
    verifier: SelectionSampler | str = single.verify,
    draft_length: int = 4,
    streamer: Any = None,
    num_drafts: int | None = None,
) -> Speculative:
    """Make a ``custom_generate`` of a rule; the default, ``"block"`` and ``"priority-layer"`` are lossless.

    Parameters
    ----------
    assistant : transformers model
        The draft: a causal language model with the target's token ids.
    verifier : callable or str
        ``"block"`` for block verification, which keeps more of a drafted sequence than any lossless rule that tests its
        tokens one by one; ``"priority-layer"`` for priority layer verification of ``num_drafts`` sequences, which for
        one of them is the same; or :func:`specproof.simulations.samplers.single.verify`, or what ``opt_sampler`` or
        ``uno_sampler`` of :mod:`specproof.simulations.samplers.relaxed` make.
    draft_length : int
        Tokens drafted in a round; fewer where the maximal length is nearer.
    streamer : transformers streamer
        Gets the prompt and every token, one at a time. ``generate`` has such an argument too, but transformers does
        not hand it on to a custom_generate.
    num_drafts : int, optional
        K >= 1, for ``"priority-layer"`` alone, which needs it.

    Raises
    ------
    InvalidInput
        If the draft length is not an integer >= 1, there is no such verifier, the number of drafts is not an integer
        >= 1 or does not go with the verifier, or the assistant is no model whose cache can take tokens back.

    Examples
    --------
    >>> import torch
    >>> from transformers import LlamaConfig, LlamaForCausalLM
    >>> size = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    >>> config = LlamaConfig(vocab_size=8, eos_token_id=None, **size)
    >>> model, assistant = LlamaForCausalLM(config).eval(), LlamaForCausalLM(config).eval()
    >>> from specproof.transformers import speculative
    >>> rule = speculative(assistant, draft_length=2)
    >>> prompt = torch.tensor([[1, 2, 3]])
    >>> model.generate(prompt, custom_generate=rule, do_sample=True, max_new_tokens=4).shape
    torch.Size([1, 7])
    """
    if verifier == "priority-layer":
        if num_drafts is None:
            raise InvalidInput("num_drafts is not given: say how many sequences 'priority-layer' drafts, such as 4")
        return Speculative(assistant, PriorityLayerVerification(num_drafts, bonus=False), draft_length, streamer)
    if num_drafts is not None:
        raise InvalidInput(
            f"num_drafts is {num_drafts!r}, and this verifier drafts one sequence: leave it out, choose "
            "'priority-layer', or call speculative_sequences"
        )
    if verifier == "block":
        return Speculative(assistant, BlockVerification(bonus=False), draft_length, streamer)
    if not callable(verifier):
        raise InvalidInput(
            f"verifier is {verifier!r}: give 'block', 'priority-layer', or a function such as opt_sampler(0.2)"
        )
    return Speculative(assistant, LevelByLevel(_checked(verifier), bonus=False), draft_length, streamer)


def speculative_batch(assistant: Any, num_drafts: int, draft_length: int = 4, streamer: Any = None) -> Speculative:
    """Make a ``custom_generate`` of the batch rule, which is lossless.

    At the start and after each rejection M continuations are drafted. Their first tokens are tried in turn by recursive
    rejection; the first accepted one is followed alone, token by token, until its next rejection. When it is used up
    without one, a single continuation is drafted on. (Yin et al. 2024, Algorithm 3 and Theorem 3.)

    Parameters
    ----------
    assistant, draft_length, streamer
        As in :func:`speculative`.
    num_drafts : int
        M >= 1. One draft is :func:`speculative`.

    Raises
    ------
    InvalidInput
        As :func:`speculative`, or if M is not an integer >= 1.

    Examples
    --------
    >>> import torch
    >>> from transformers import LlamaConfig, LlamaForCausalLM
    >>> size = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    >>> config = LlamaConfig(vocab_size=8, eos_token_id=None, **size)
    >>> model, assistant = LlamaForCausalLM(config).eval(), LlamaForCausalLM(config).eval()
    >>> from specproof.transformers import speculative_batch
    >>> speculative_batch(assistant, num_drafts=4).draft_length
    4
    """
    return Speculative(assistant, batch_rule(num_drafts, _checked(recursive.verify)), draft_length, streamer)


def speculative_sequences(
    assistant: Any, num_drafts: int, draft_length: int = 4, verifier: str = "kseq", streamer: Any = None
) -> Speculative:
    """Make a ``custom_generate`` of SpecTr, which is lossless: K draft sequences a round, selected level by level.

    At each level the rule for k drafts is applied to the next tokens of the k sequences that still agree with what was
    emitted; the round ends when it accepts none of them. As everywhere here there is no bonus token, so that a round
    emits L tokens at most. (Sun et al. 2023, Algorithm 3.)

    Parameters
    ----------
    assistant, draft_length, streamer
        As in :func:`speculative`.
    num_drafts : int
        K >= 1. One draft is :func:`speculative`.
    verifier : str
        The rule for k drafts, a name in :data:`specproof.simulations.samplers.SAMPLERS`.

    Raises
    ------
    InvalidInput
        As :func:`speculative_batch`, or if there is no such verifier.

    Examples
    --------
    >>> import torch
    >>> from transformers import LlamaConfig, LlamaForCausalLM
    >>> size = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    >>> config = LlamaConfig(vocab_size=8, eos_token_id=None, **size)
    >>> model, assistant = LlamaForCausalLM(config).eval(), LlamaForCausalLM(config).eval()
    >>> from specproof.transformers import speculative_sequences
    >>> speculative_sequences(assistant, num_drafts=4, draft_length=2, verifier="priority").draft_length
    2
    """
    if not isinstance(verifier, str) or verifier not in SAMPLERS:
        raise InvalidInput(f"verifier is {verifier!r}: choose one of {', '.join(SAMPLERS)}")
    rule = LevelByLevel(_checked(SAMPLERS[verifier]), num_drafts, bonus=False)
    return Speculative(assistant, rule, draft_length, streamer)


@dataclass(frozen=True)
class Speculative:
    """A rule with its draft model, to be given to ``generate``.

    Raises
    ------
    InvalidInput
        If the draft length is not an integer >= 1, or the assistant is no model whose cache can take tokens back.
    """

    assistant: Any
    """The draft, a transformers model."""
    rule: RoundRule
    """What is drafted and emitted in a round, without a bonus token."""
    draft_length: int
    """How many tokens are drafted in a round; fewer where the maximal length is nearer."""
    streamer: Any = None
    """What is given the prompt and every token."""

    def __post_init__(self) -> None:
        """Refuse what cannot be used."""
        positive_integer(self.draft_length, "draft_length")
        check_assistant(self.assistant)

    def __call__(
        self,
        model: Any,
        input_ids: Tensor,
        logits_processor: Any,
        stopping_criteria: Any,
        generation_config: Any,
        **inputs: Any,
    ) -> Tensor | SpeculativeOutput:
        """Continue each text: what ``generate`` calls, with everything prepared.

        Greedy decoding is not offered as such: it is sampling with ``top_k=1``.

        Raises
        ------
        InvalidInput
            If sampling is off, or generate was asked for something that this does not do, or a model's context is too
            short, or the processors leave no token that may come next.
        """
        check_generate(
            model, self.assistant, len(input_ids), logits_processor, stopping_criteria, generation_config, inputs
        )
        prompts = _prompts(input_ids, inputs.get("attention_mask"))
        draft, target = (_language_model(module, model) for module in (self.assistant, model))
        room = generation_config.max_length - input_ids.shape[1]
        check_room((draft, target), prompts, room, self.draft_length)
        generated = GeneratedTexts(
            input_ids.to(model.device), generation_config, logits_processor, stopping_criteria, self.streamer
        )
        decoding = Decoding(
            draft,
            target,
            prompts,
            texts=generated.texts,
            rule=self.rule,
            distributions=generated.distributions,
            uniforms=from_torch(model.device),
            observer=generated,
            watch=Stopwatch(str(model.device)),
        )
        decoding.run(self.draft_length)
        return generated.finish(input_ids.device, bool(generation_config.return_dict_in_generate))


def _checked(verifier: SelectionSampler) -> SelectionSampler:
    """Make a rule refuse distributions that are not finite, as where the processors leave no token.

    Only those that are tested are looked at: beyond the end of a text anything may be.
    """

    def verify(draft: AnyArray, target: AnyArray, drafts: AnyArray, uniforms: AnyArray) -> Selection:
        if not (torch.isfinite(draft).all() and torch.isfinite(target).all()):
            raise InvalidInput(NO_TOKEN_LEFT)
        return verifier(draft, target, drafts, uniforms)

    return verify


def _language_model(module: Any, target: Any) -> LanguageModel:
    """Take a model over the target's vocabulary, which the assistant may know only in part, or be padded beyond."""
    width: int = target.get_output_embeddings().weight.shape[0]
    return LanguageModel(module, width, str(target.device))


def _prompts(input_ids: Tensor, mask: Tensor | None) -> Prompts:
    """Give the tokens of each prompt without its padding."""
    if mask is None:
        listed: Prompts = input_ids.tolist()
        return listed
    return [row[kept.bool()].tolist() for row, kept in zip(input_ids, mask, strict=True)]
