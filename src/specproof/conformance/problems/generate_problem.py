"""The contract ``generate``: a whole decoding loop."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from specproof.conformance.contract import Contract
from specproof.conformance.problems.answers import Emission, Sample, as_ids, number_rows, refuse_rows
from specproof.conformance.problems.description import describe_model
from specproof.conformance.problems.drawing import Tokens
from specproof.conformance.problems.example_models import markov
from specproof.conformance.problems.next_token import check_models
from specproof.conformance.problems.problem import Problem
from specproof.conformance.problems.text_settings import PLAIN, TextSettings
from specproof.conformance.problems.two_models import TwoModels
from specproof.theory.chain import TabularModel
from specproof.theory.distribution import Array
from specproof.theory.errors import InvalidInput
from specproof.theory.integers import natural_number, positive_integer

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn

SEEDS = 2**48
"""Seeds of rows begin below this: so many that hardly two trials of a check have the same."""
LOOKAHEAD = 4
"""The number of positions past the end of a problem for which the models still have tables."""


class Request(NamedTuple):
    """What a loop is handed beside its generator."""

    draft_model: TabularModel
    target_model: TabularModel
    prompt: tuple[int, ...]
    length: int
    trials: int
    chosen: Tokens
    """Which of the temperatures each row has, shape (n,); handed out by name alone."""
    seeds: Tokens
    """The seed of each row, shape (n,); handed out by name alone."""

    def rows(self, chosen: Tokens) -> Request:
        """Ask for some of the rows."""
        return self._replace(trials=len(chosen), chosen=self.chosen[chosen], seeds=self.seeds[chosen])


@dataclass(frozen=True, eq=False, repr=False)
class GenerateProblem(TwoModels, Problem):
    """A whole decoding loop: the contract ``generate``.

    Parameters
    ----------
    draft, target : TabularModel
        Models over the prompt and the tokens to generate at least; see
        :func:`~specproof.conformance.problems.next_token.next_token_law` for what is drafted beyond.
    prompt : tuple of int
        Tokens in 0..V-1; may be empty.
    length : int
        The number of tokens to generate, at least 1.
    settings : TextSettings
        What else is asked. A loop is told by parameters ``end_token``, ``min_length`` and ``temperatures``; one without
        them is not asked.

    Raises
    ------
    InvalidInput
        If a model is no table, the vocabularies differ, the prompt has a token outside them, the length is not an
        integer >= 1, or a horizon is too short.

    Examples
    --------
    >>> model = TabularModel([[0.5, 0.5], [[0.25, 0.75], [1.0, 0.0]]])
    >>> GenerateProblem(model, model, prompt=(1,), length=1).target_law
    array([1., 0.])
    """

    contract: ClassVar = Contract.GENERATE
    size_name: ClassVar = "length"
    in_small_batches: ClassVar = {
        "three tokens": 1,
        "whole history": 1,
        "texts that end, not before three tokens": 4,
        "greedy and sampled rows of long texts that end": 4,
    }
    draft: TabularModel
    target: TabularModel
    prompt: tuple[int, ...]
    length: int
    settings: TextSettings = PLAIN

    def __post_init__(self) -> None:
        check_models(self.draft, self.target)
        object.__setattr__(self, "prompt", _as_prompt(self.prompt, self.num_tokens))
        object.__setattr__(self, "length", positive_integer(self.length, "length"))
        self.settings.check(self.num_tokens)
        for name, model in (("draft", self.draft), ("target", self.target)):
            if model.horizon < len(self.prompt) + self.length:
                raise InvalidInput(
                    f"{name} has horizon {model.horizon}: a prompt of {len(self.prompt)} and {self.length} tokens "
                    f"need at least {len(self.prompt) + self.length}"
                )

    def with_models(self, draft: TabularModel, target: TabularModel) -> GenerateProblem:
        """Put other models in the place of both; a token of the prompt that they lack becomes their last."""
        prompt = tuple(min(token, draft.num_states - 1) for token in self.prompt)
        return GenerateProblem(draft, target, prompt, self.length, self.settings.within(draft.num_states))

    def shorter(self) -> Iterator[GenerateProblem]:
        """Ask for less, generate a token less, or fix the first token of the prompt in the models."""
        if self.settings != PLAIN:
            yield GenerateProblem(*self.models, self.prompt, self.length)
        if self.length > 1:
            yield GenerateProblem(*self.models, self.prompt, self.length - 1, self.settings)
        if self.prompt:
            draft, target = (
                TabularModel([table[self.prompt[0]] for table in model.conditionals[1:]]) for model in self.models
            )
            yield GenerateProblem(draft, target, self.prompt[1:], self.length, self.settings)

    @property
    def shape(self) -> tuple[int, ...]:
        """(length, V)."""
        return self.length, self.num_tokens

    @cached_property
    def target_law(self) -> Array:
        """The law of the generated tokens of a lossless loop, shape (V,) * length, after an axis for temperatures."""
        given = len(self.prompt)
        asked = [self.settings.processed(self.target, given, it) for it in self.settings.temperatures]
        return self.of_rows([self._after_prompt(target) for target in asked])

    @cached_property
    def draft_law(self) -> Array:
        """The law of a loop that accepts every draft."""
        return self.of_rows([self._after_prompt(self.draft)] * len(self.settings.temperatures))

    def of_rows(self, laws: Sequence[Array]) -> Array:
        """Give the joint law of a row's temperature and its text, from the laws (V,) * length of unstopped texts."""
        stopped = [self.settings.stopped(law) for law in laws]
        return stopped[0] if len(stopped) == 1 else np.stack(stopped) / len(stopped)

    def plainly(self) -> list[GenerateProblem]:
        """Give the problems without settings that texts of each temperature would be those of, did they not stop."""
        given = len(self.prompt)
        asked = [self.settings.processed(self.target, given, it) for it in self.settings.temperatures]
        return [GenerateProblem(self.draft, target, self.prompt, self.length) for target in asked]

    @property
    def emitted_shape(self) -> tuple[int, ...]:
        """The shape of the emitted law, (V,) * length, after an axis for temperatures if there are several."""
        return self.target_law.shape

    def completed(self, law: Array) -> Array:
        """Give the law itself: the sequences are whole."""
        return law

    def arguments(self, trials: int, rng: np.random.Generator) -> Request:
        """Ask for n continuations, each of a temperature that is drawn, with seeds that follow each other."""
        chosen = rng.integers(len(self.settings.temperatures), size=trials)
        seeds = rng.integers(SEEDS) + np.arange(trials)
        return Request(self.draft, self.target, self.prompt, self.length, trials, chosen, seeds)

    def reseeded(self, arguments: Request, seed: int) -> Request:
        """Ask for the same with other seeds of its rows."""
        return arguments._replace(seeds=np.random.default_rng(seed).integers(SEEDS) + np.arange(arguments.trials))

    def positional(self, arguments: Request) -> Sequence[Any]:
        """What every loop is handed."""
        return arguments[:5]

    @property
    def required(self) -> frozenset[str]:
        """The parameters for what is asked."""
        return self.settings.required

    def named(self, arguments: Request) -> Mapping[str, Any]:
        """What is asked, by name."""
        return {**self.settings.named(arguments.chosen), "seeds": arguments.seeds}

    def chance_of_drafts(self, arguments: Request) -> Array:
        """Give hardly any where rows differ in their temperatures: some have one possible text, whatever is drawn."""
        return np.full(arguments.trials, 1.0 if len(self.settings.temperatures) == 1 else 1e-9)

    def parse(self, result: Any, arguments: Request) -> Emission:
        """Take tokens (n, length), -1 after an end token."""
        lowest = 0 if self.settings.end is None else -1
        tokens = as_ids(result, "tokens", (arguments.trials, self.length), lowest, self.num_tokens)
        if self.settings.end is not None:
            _refuse_ends(tokens, self.settings.end)
            tokens = np.where(tokens < 0, self.settings.end, tokens)
        return Emission(tokens, arguments.chosen)

    def outcomes(self, tokens: Tokens) -> Tokens:
        """Number each row's place in the flattened emitted law, shape (n,)."""
        return number_rows(tokens, self.num_tokens)

    def take_apart(self, emission: Emission, rng: np.random.Generator) -> Sample:
        """Number the outcomes of each trial."""
        del rng
        outcomes, first = self.outcomes(emission.tokens), emission.tokens[:, 0]
        if len(self.settings.temperatures) > 1:  # the first axis of the law
            first = emission.accepted
            outcomes = outcomes + first * self.num_tokens**self.length
        return Sample(outcomes, outcomes, first, np.zeros_like(first))

    def describe(self) -> str:
        """Describe both models in lines of simple fractions, and the prompt."""
        needed = len(self.prompt) + self.length
        named = zip(("draft", "target"), self.models, strict=True)
        models = (f"{name}\n{describe_model(model, needed)}" for name, model in named)
        asked = filter(None, (f"prompt {list(self.prompt)}, length {self.length}", self.settings.describe()))
        return "\n".join((*models, ", ".join(asked)))

    def _after_prompt(self, model: TabularModel) -> Array:
        first = len(self.prompt)
        return TabularModel([table[self.prompt] for table in model.conditionals[first : first + self.length]]).joint()

    @classmethod
    def degenerate(cls, draft: Array, target: Array) -> GenerateProblem:
        """Two tokens of a degenerate law without memory, after the target's likeliest."""
        models = markov(draft, [draft] * draft.size, target, [target] * target.size, horizon=3 + LOOKAHEAD)
        return GenerateProblem(*models, (int(target.argmax()),), 2)

    @classmethod
    def drawn(cls, draw: DrawFn) -> GenerateProblem:
        """Draw a prompt of 0 or 1 tokens, 1 to 3 tokens to generate, and models that are defined for 2 more."""
        from hypothesis.strategies import integers, lists

        from specproof.conformance.strategies.models import tabular_models

        size, length = draw(integers(2, 3)), draw(integers(1, 3))
        prompt = tuple(draw(lists(integers(0, size - 1), max_size=1)))
        horizon = len(prompt) + length + 2
        return GenerateProblem(draw(tabular_models(size, horizon)), draw(tabular_models(size, horizon)), prompt, length)

    @classmethod
    def examples(cls) -> dict[str, GenerateProblem]:
        """Make the problems whose laws are tested, by name, the smallest first; no token of them is impossible."""
        from specproof.conformance.problems.text_examples import text_examples

        return text_examples()


def _refuse_ends(tokens: Tokens, end: int) -> None:
    """Refuse texts that go on after the end token, and those that end without it."""
    is_end = tokens == end
    ended = np.cumsum(is_end, axis=1) - is_end > 0
    refuse_rows((ended & (tokens >= 0)).any(axis=1), tokens, f"goes on after the end token {end}", "then come -1")
    refuse_rows((~ended & (tokens < 0)).any(axis=1), tokens, f"ends without the end token {end}", "-1 stands after it")


def _as_prompt(prompt: Sequence[int], num_tokens: int) -> tuple[int, ...]:
    if not isinstance(prompt, Sequence | np.ndarray):
        raise InvalidInput(f"prompt is {prompt!r}: give a tuple of tokens, such as (0,)")
    tokens = tuple(natural_number(token, f"prompt[{index}]") for index, token in enumerate(prompt))
    for index, token in enumerate(tokens):
        if token >= num_tokens:
            raise InvalidInput(f"prompt[{index}] is {token}: tokens are 0..{num_tokens - 1}")
    return tokens
