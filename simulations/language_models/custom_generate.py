"""Our rules on any Hugging Face model, through the ``custom_generate`` argument of ``generate``.

.. code-block:: python

    from specproof.simulations.language_models.custom_generate import speculative
    from specproof.simulations.samplers.relaxed import opt_sampler

    output = model.generate(**inputs, custom_generate=speculative(assistant, opt_sampler(0.2)), do_sample=True)

Both models' logits go through the same processors (temperature, top-k, ...), each with the text it belongs to, and what
is drawn is drawn from exactly the processed law that is declared to the rule. Every emitted position is tested: there
is no bonus token. Dice are torch's, so ``torch.manual_seed`` makes a run repeatable.

The assistant is the rule's own. ``generate`` has an argument ``assistant_model``, which transformers does not hand on
to a custom_generate: it has no effect here, and cannot be refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor
from transformers.generation import (
    GenerateDecoderOnlyOutput,
    MaxLengthCriteria,
    SynthIDTextWatermarkLogitsProcessor,
    UnbatchedClassifierFreeGuidanceLogitsProcessor,
)

from specproof.simulations.language_models.model import LanguageModel, check_decodable, start
from specproof.simulations.samplers import SAMPLERS, recursive, single
from specproof.simulations.samplers.inversion import invert
from specproof.simulations.samplers.selection import Selection, SelectionSampler
from specproof.simulations.samplers.sequences import agreeing, verify_level
from specproof.theory.drafts import one_num_drafts
from specproof.theory.errors import InvalidInput
from specproof.theory.integers import positive_integer

STATEFUL_PROCESSORS = (UnbatchedClassifierFreeGuidanceLogitsProcessor, SynthIDTextWatermarkLogitsProcessor)
"""They count their calls as positions, which is wrong once a text is taken back."""

KNOWN_INPUTS = {"attention_mask", "position_ids", "past_key_values", "use_cache", "logits_to_keep"}
"""What ``generate`` hands on for a model of text; the positions follow from the mask, and the cache is our own."""


OWN_CACHES = (None, "dynamic")
"""Values of ``cache_implementation`` that say what our cache is."""


@dataclass
class SpeculativeOutput(GenerateDecoderOnlyOutput):  # type: ignore[misc]
    """What ``generate`` returns with ``return_dict_in_generate=True``: ``sequences``, and what the rule did.

    Attributes
    ----------
    rejected : bool tensor, shape (B, T)
        Whether each emitted position was rejected, for a batch of drafts by all of them; False after a text's end.
    target_calls : int64 tensor, shape (B,)
        Forward passes of the target for each sequence. Reading the prompt is not counted.
    """

    rejected: Tensor | None = None
    target_calls: Tensor | None = None


def speculative(
    assistant: Any, verifier: SelectionSampler = single.verify, draft_length: int = 4, streamer: Any = None
) -> Speculative:
    """Make a ``custom_generate`` of a rule for one draft; the default is lossless.

    Parameters
    ----------
    assistant : transformers model
        The draft: a causal language model with the target's token ids.
    verifier : callable
        :func:`specproof.simulations.samplers.single.verify`, or what ``opt_sampler`` or ``uno_sampler`` of
        :mod:`specproof.simulations.samplers.relaxed` make.
    draft_length : int
        Tokens drafted in a round; fewer where the maximal length is nearer.
    streamer : transformers streamer
        Gets the prompt and every token, one at a time. ``generate`` has such an argument too, but transformers does
        not hand it on to a custom_generate.

    Raises
    ------
    InvalidInput
        If the draft length is not an integer >= 1, the verifier cannot be called, or the assistant is no model whose
        cache can take tokens back.
    """
    return _checked(Speculative(assistant, verifier, verifier, 1, draft_length, streamer))


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
    """
    count = one_num_drafts(num_drafts)
    return _checked(Speculative(assistant, recursive.verify, single.verify, count, draft_length, streamer))


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
    """
    if not isinstance(verifier, str) or verifier not in SAMPLERS:
        raise InvalidInput(f"verifier is {verifier!r}: choose one of {', '.join(SAMPLERS)}")
    rule = SAMPLERS[verifier]
    return _checked(SpeculativeSequences(assistant, rule, rule, one_num_drafts(num_drafts), draft_length, streamer))


@dataclass(frozen=True)
class Speculative:
    """A rule with its draft model, to be given to ``generate``."""

    assistant: Any
    first: SelectionSampler
    """Tests the first tokens of a fresh batch of ``num_drafts``."""
    following: SelectionSampler
    """Tests every other token."""
    num_drafts: int
    draft_length: int
    streamer: Any = None

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
        _check_request(model, self.assistant, input_ids, logits_processor, stopping_criteria, generation_config, inputs)
        texts = _Texts(self, input_ids.to(model.device), generation_config, logits_processor, stopping_criteria)
        decode = self._begin(model, texts, _prompts(input_ids, inputs.get("attention_mask")))
        while texts.active.any():
            decode.round()
        return texts.finish(decode.target_calls, input_ids.device, bool(generation_config.return_dict_in_generate))

    def _begin(self, model: Any, texts: _Texts, prompts: list[list[int]]) -> _Decode:
        return _Decode(self, model, texts, prompts)


@dataclass(frozen=True)
class SpeculativeSequences(Speculative):
    """A rule for k drafts, applied at every level to those of the draft sequences that are left."""

    def _begin(self, model: Any, texts: _Texts, prompts: list[list[int]]) -> _Decode:
        return _DecodeSequences(self, model, texts, prompts)


class _Rows(NamedTuple):
    """Texts that grow side by side, several of them perhaps from one sequence; row r of a cache is row r here."""

    sequence: Tensor
    """Which sequence each is a continuation of, shape (R,), in order."""
    copy: Tensor
    """Its number among the continuations of its sequence, shape (R,)."""
    ids: Tensor
    """Shape (R, W), of which each row's own length counts."""
    lengths: Tensor


class _Drafts(NamedTuple):
    tokens: Tensor
    """Shape (R, k)."""
    laws: list[Tensor]
    """The k laws they were drawn from, shape (R, V)."""

    def select(self, rows: Tensor) -> _Drafts:
        return _Drafts(self.tokens[rows], [law[rows] for law in self.laws])


class _Texts:
    """All sequences so far, and what is to be done with them by order of ``generate``.

    A processor or criterion wants texts of one length, and may know a row by its number in the batch (as the padding
    lengths of a repetition penalty do), while ours differ in length and are several to a sequence. So each is called
    with the whole batch, cut to one length at a time, and only the rows of that length are used.
    """

    def __init__(self, rule: Speculative, prompts: Tensor, config: Any, processors: Any, criteria: Any) -> None:
        count, self.start = prompts.shape
        self.longest: int = config.max_length
        self.processors, self.criteria, self.streamer = processors, criteria, rule.streamer
        # Without a pad token no text ends before the others, and nothing is ever padded.
        pad = 0 if config._pad_token_tensor is None else int(config._pad_token_tensor)
        self.ids = torch.full((count, self.longest + rule.draft_length), pad, device=prompts.device)
        self.ids[:, : self.start] = prompts
        self.lengths = torch.full((count,), self.start, device=prompts.device)
        self.active = torch.ones(count, dtype=torch.bool, device=prompts.device)
        self.rejected = torch.zeros((count, self.longest), dtype=torch.bool, device=prompts.device)
        if self.streamer is not None:
            self.streamer.put(prompts.cpu())

    def rows(self, sequences: Tensor, copy: Tensor) -> _Rows:
        return _Rows(sequences, copy, self.ids[sequences], self.lengths[sequences])

    def law(self, rows: _Rows, logits: Tensor, model: LanguageModel) -> Tensor:
        """Float64 laws of the next token of each row, shape (R, V), processed as ``generate`` would do it."""
        scores = logits.to(torch.float32, copy=True)
        for chosen in _alike(rows.lengths, rows.copy):
            owners = rows.sequence[chosen]
            length = int(rows.lengths[chosen[0]])
            ids, raw = self.ids[:, :length].clone(), scores.new_zeros((len(self.ids), scores.shape[1]))
            ids[owners], raw[owners] = rows.ids[chosen, :length], scores[chosen]
            scores[chosen] = self.processors(ids, raw)[owners]
        return model.law(scores)

    def emit(self, sequences: Tensor, selection: Selection) -> None:
        """Append a token to these sequences, and end those that are complete."""
        self.ids[sequences, self.lengths[sequences]] = selection.tokens
        self.rejected[sequences, self.lengths[sequences] - self.start] = selection.accepted < 0
        self.lengths[sequences] += 1
        if self.streamer is not None:
            self.streamer.put(selection.tokens.cpu())
        for chosen in _alike(self.lengths[sequences]):
            grown = sequences[chosen]
            ended = self.criteria(self.ids[:, : int(self.lengths[grown[0]])], None)
            self.active[grown] = ~ended[grown]

    def finish(self, target_calls: Tensor, device: torch.device, as_dict: bool) -> Tensor | SpeculativeOutput:
        if self.streamer is not None:
            self.streamer.end()
        longest = int(self.lengths.max())
        sequences = self.ids[:, :longest].to(device)
        if not as_dict:
            return sequences
        return SpeculativeOutput(
            sequences=sequences,
            rejected=self.rejected[:, : longest - self.start].to(device),
            target_calls=target_calls.to(device),
        )


class _Decode:
    """The two models between rounds: each cache holds one row for each active sequence, all fed but its last token."""

    def __init__(self, rule: Speculative, module: Any, texts: _Texts, prompts: list[list[int]]) -> None:
        self.rule, self.texts = rule, texts
        width, device = _vocabulary(module), str(module.device)
        draft, target = (LanguageModel(model, width, device) for model in (rule.assistant, module))
        _check_room([draft, target], prompts, texts, rule.draft_length)
        # Padded to another width, the assistant may lack ids that the target can emit: there any law will do.
        self.last_known: int = rule.assistant.get_input_embeddings().weight.shape[0] - 1
        self.draft, _ = start(draft, [[min(token, self.last_known) for token in prompt] for prompt in prompts])
        self.target, self.pending = start(target, prompts)
        self.fresh = torch.ones_like(texts.active)
        self.target_calls = torch.zeros_like(texts.lengths)

    def round(self) -> None:
        """Draft for every active sequence, have the target look at all drafts at once, keep what the tests accept."""
        sequences = self.texts.active.nonzero()[:, 0]
        before = self.texts.lengths[sequences]
        length = min(self.rule.draft_length, self.texts.longest - int(before.min()))
        copies = torch.where(self.fresh[sequences], self.rule.num_drafts, 1)
        leader = copies.cumsum(dim=0) - copies
        origin = torch.arange(len(sequences), device=copies.device).repeat_interleave(copies)
        self._select(origin)
        rows = self.texts.rows(sequences[origin], torch.arange(len(origin), device=copies.device) - leader[origin])
        drafts, logits = self._draft(rows, length)
        self._verify(sequences, leader, drafts, logits)
        for cache in (self.draft, self.target):
            cache.forget(length - (self.texts.lengths[sequences] - before))
        self.target_calls[sequences] += 1
        self._select(self.texts.active[sequences].nonzero()[:, 0])

    def _draft(self, rows: _Rows, length: int) -> tuple[_Drafts, Tensor]:
        """Continue every row by ``length`` tokens; the logits are the target's before each, shape (R, length, V)."""
        keep = torch.ones_like(rows.sequence, dtype=torch.bool)[:, None]
        fed, laws = [self.pending[rows.sequence]], []
        for _ in range(length):
            logits = self.draft.append(fed[-1][:, None].clamp(max=self.last_known), keep)[:, -1]
            missing = self.target.model.vocabulary - logits.shape[-1]
            padded = torch.nn.functional.pad(logits, (0, missing), value=-torch.inf)
            laws.append(self.texts.law(rows, padded, self.draft.model))
            fed.append(invert(laws[-1], self._dice(len(keep))))
            rows.ids[torch.arange(len(keep), device=keep.device), rows.lengths] = fed[-1]
            rows = rows._replace(lengths=rows.lengths + 1)
        logits = self.target.append(torch.stack(fed[:-1], dim=1), keep.expand(-1, length))
        return _Drafts(torch.stack(fed[1:], dim=1), laws), logits

    def _verify(self, sequences: Tensor, leader: Tensor, drafts: _Drafts, logits: Tensor) -> None:
        """Test and emit, and leave one row of the caches for each sequence, that of a draft which agrees with it."""
        first = self._try_first(sequences, leader, drafts, logits[leader, 0])
        followed = leader + first.accepted.clamp(min=0)
        self._select(followed)
        self._settle(sequences, first, drafts.select(followed), logits[followed])

    def _try_first(self, sequences: Tensor, leader: Tensor, drafts: _Drafts, logits: Tensor) -> Selection:
        """Test the first tokens: all M of a sequence that starts a batch, the one of any other."""
        target = self._target_law(sequences, logits)
        draft, fresh = drafts.laws[0][leader], self.fresh[sequences]
        found = Selection(torch.empty_like(sequences), torch.empty_like(sequences))
        kinds = ((fresh, self.rule.num_drafts, self.rule.first), (~fresh, 1, self.rule.following))
        for chosen, count, verifier in kinds:
            members = leader[chosen][:, None] + torch.arange(count, device=leader.device)
            selection = self._test(verifier, draft[chosen], target[chosen], drafts.tokens[members, 0])
            found.tokens[chosen], found.accepted[chosen] = selection
        return found

    def _settle(self, sequences: Tensor, first: Selection, drafts: _Drafts, logits: Tensor) -> None:
        """Emit the outcome of the first test, and go on testing the continuation that was accepted."""
        testing = torch.arange(len(sequences), device=sequences.device)
        selection = first
        for index in range(len(drafts.laws)):
            tested = sequences[testing]
            if index:
                target = self._target_law(tested, logits[testing, index])
                token = drafts.tokens[testing, index : index + 1]
                selection = self._test(self.rule.following, drafts.laws[index][testing], target, token)
            self._emit(tested, selection)
            testing = testing[~self.fresh[tested] & self.texts.active[tested]]
            if not len(testing):
                return

    def _emit(self, sequences: Tensor, selection: Selection) -> None:
        self.texts.emit(sequences, selection)
        self.pending[sequences] = selection.tokens
        self.fresh[sequences] = selection.accepted < 0

    def _target_law(self, sequences: Tensor, logits: Tensor) -> Tensor:
        return self.texts.law(self.texts.rows(sequences, torch.zeros_like(sequences)), logits, self.target.model)

    def _test(self, verifier: SelectionSampler, draft: Tensor, target: Tensor, tokens: Tensor) -> Selection:
        if not (torch.isfinite(draft).all() and torch.isfinite(target).all()):
            raise InvalidInput("the logits processors leave no token, or not a number, somewhere: loosen them")
        return verifier(draft, target, tokens, self._dice(len(tokens), tokens.shape[1] + 1))

    def _select(self, rows: Tensor) -> None:
        for cache in (self.draft, self.target):
            cache.select(rows)

    def _dice(self, *shape: int) -> Tensor:
        return torch.rand(shape, dtype=torch.float64, device=self.pending.device)


class _DecodeSequences(_Decode):
    """Every round starts with fresh drafts, all of which are followed as long as they agree with the output."""

    def _verify(self, sequences: Tensor, leader: Tensor, drafts: _Drafts, logits: Tensor) -> None:
        tokens = drafts.tokens.reshape(len(sequences), self.rule.num_drafts, -1)
        alive = torch.ones_like(tokens[..., 0], dtype=torch.bool)
        followed = leader.clone()
        testing = torch.arange(len(sequences), device=sequences.device)
        for index, law in enumerate(drafts.laws):
            tested, first, left = sequences[testing], followed[testing], alive[testing]
            offered = tokens[testing, :, index]
            target = self._target_law(tested, logits[first, index])
            selection = self._test(_among(left, self.rule.first), law[first], target, offered)
            self._emit(tested, selection)
            alive[testing] = agreeing(left, offered, selection)
            testing = testing[selection.accepted >= 0]
            followed[testing] = leader[testing] + alive[testing].int().argmax(dim=1)
            testing = testing[self.texts.active[sequences[testing]]]
            if not len(testing):
                break
        self.fresh[sequences] = True
        self._select(followed)


def _among(alive: Tensor, verifier: SelectionSampler) -> SelectionSampler:
    """The rule applied to the drafts that are left."""

    def verify(draft: Tensor, target: Tensor, drafts: Tensor, uniforms: Tensor) -> Selection:
        return verify_level(draft, target, drafts, alive, uniforms, verifier)

    return verify


def _alike(lengths: Tensor, copy: Tensor | None = None) -> Iterator[Tensor]:
    """Yield the rows of each length; with ``copy`` also of each copy, so that no sequence is named twice."""
    keys = lengths if copy is None else lengths * (copy.max() + 1) + copy
    for key in torch.unique(keys):
        yield (keys == key).nonzero()[:, 0]


def _checked(rule: Speculative) -> Speculative:
    positive_integer(rule.draft_length, "draft_length")
    if not isinstance(rule.assistant, torch.nn.Module):
        raise InvalidInput(
            f"assistant is {rule.assistant!r}: give a loaded transformers model, such as from_pretrained makes"
        )
    check_decodable(rule.assistant, "the assistant")
    if not callable(rule.first):
        raise InvalidInput(f"verifier is {rule.first!r}: give a function, such as opt_sampler(0.2)")
    return rule


def _check_request(
    model: Any, assistant: Any, input_ids: Tensor, processors: Any, criteria: Any, config: Any, inputs: dict[str, Any]
) -> None:
    check_decodable(model, "the model")
    if model.device != assistant.device:
        raise InvalidInput(f"the model is on {model.device} and the assistant on {assistant.device}: move one of them")
    _check_inputs(inputs)
    if not config.do_sample:
        raise InvalidInput("do_sample is False: pass do_sample=True, for greedy decoding together with top_k=1")
    if config.num_beams is not None and config.num_beams > 1:
        raise InvalidInput(f"num_beams is {config.num_beams}: speculative decoding samples, leave the beams out")
    for name in ("output_scores", "output_logits", "output_attentions", "output_hidden_states"):
        if getattr(config, name):
            raise InvalidInput(f"{name} is True: speculative decoding does not keep these, leave it out")
    for processor in processors:
        if isinstance(processor, STATEFUL_PROCESSORS):
            raise InvalidInput(f"{type(processor).__name__} cannot take back rejected tokens: leave it out")
    if config.cache_implementation not in OWN_CACHES:
        raise InvalidInput(
            f"cache_implementation is {config.cache_implementation!r}: speculative decoding has a dynamic cache of its "
            "own, leave it out"
        )
    for name in ("prompt_lookup_num_tokens", "assistant_early_exit"):
        if getattr(config, name) is not None:
            raise InvalidInput(f"{name} is {getattr(config, name)!r}: the drafts are the assistant's, leave it out")
    stops_early = not all(isinstance(criterion, MaxLengthCriteria) for criterion in criteria)
    if config._pad_token_tensor is None and stops_early and len(input_ids) > 1:
        raise InvalidInput("pad_token_id is not set, and texts may end at different lengths: pass pad_token_id")


def _check_inputs(inputs: dict[str, Any]) -> None:
    for name, value in inputs.items():
        if name not in KNOWN_INPUTS and value is not None:
            raise InvalidInput(f"{name} was given: speculative decoding takes a text alone, leave it out")
    cache = inputs.get("past_key_values")
    if cache is not None and cache.get_seq_length() > 0:
        raise InvalidInput("past_key_values holds a text already: speculative decoding starts with the whole prompt")


def _check_room(models: list[LanguageModel], prompts: list[list[int]], texts: _Texts, draft_length: int) -> None:
    for index, prompt in enumerate(prompts):
        if not prompt:
            raise InvalidInput(f"input_ids[{index}] has no tokens: give it at least the beginning-of-text token")
    longest = max(map(len, prompts))
    room = texts.longest - texts.start
    # A sequence near its end drafts as many as the others do. The worst round emits one token.
    overhang = draft_length if len(prompts) > 1 else 0
    for model in models:
        model.require_room(longest + room + overhang, longest + room * draft_length)


def _prompts(input_ids: Tensor, mask: Tensor | None) -> list[list[int]]:
    """The tokens of each prompt without its padding."""
    if mask is None:
        listed: list[list[int]] = input_ids.tolist()
        return listed
    return [row[kept.bool()].tolist() for row, kept in zip(input_ids, mask, strict=True)]


def _vocabulary(module: Any) -> int:
    width: int = module.get_output_embeddings().weight.shape[0]
    return width
