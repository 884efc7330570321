"""Problems for a stranger's sampler: small known laws, the inputs drawn from them, and the laws that must come out.

Each contract has its kind of problem and its *emitted law*, an array over everything that the sampler can return:

========  =================================================  ==================================================
contract  sampler                                            emitted law
========  =================================================  ==================================================
chain     ``verify(draft_probs (n, L, V), target_probs       shape (V+1,) * (L+1): entry ``law[emitted + 1]``,
          (n, L+1, V), draft_tokens (n, L), rng)`` ->        so index 0 on an axis is the -1 after the last
          emitted (n, L+1), -1 after the last token          emitted token
multi     ``verify(draft_probs (n, V), target_probs (n, V),  shape (2, V): row 1 for an accepted draft, row 0 for
          draft_tokens (n, k), rng)`` -> (emitted (n,),      a token emitted after all were rejected
          index of the accepted draft or -1 (n,))
generate  ``generate(draft_model, target_model, prompt,      shape (V,) * length
          length, n, rng)`` -> tokens (n, length)
========  =================================================  ==================================================

Lossless samplers may differ in their emitted law: one accepts more than another. What they share is the *completed law*
(:meth:`completed`), which is the target's (:attr:`target_law`): in the chain contract the row is completed to L+1
tokens by draws from the target's conditionals, as a decoding loop would go on; in the multi contract the token is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from specproof.conformance.problems.drawing import Tables, complete_path, cumulative_sums, draw_path, tables
from specproof.conformance.problems.drawing import Tokens as Tokens
from specproof.theory.chain import TabularModel
from specproof.theory.distribution import Array, as_pair
from specproof.theory.drafts import one_num_drafts
from specproof.theory.errors import InvalidInput, first_entry
from specproof.theory.integers import natural_number, positive_integer
from specproof.theory.transport import optimal_acceptance

CONTRACTS = ("chain", "multi", "generate")


class Inputs(NamedTuple):
    """What the kit hands to a verifier: n independent trials."""

    draft_probs: Array
    target_probs: Array
    draft_tokens: Tokens


@dataclass(frozen=True, eq=False, repr=False)
class ChainProblem:
    """L drafted tokens and a bonus position: the contract ``chain``.

    Parameters
    ----------
    draft : TabularModel over horizon L
        The law that the drafts are drawn from.
    target : TabularModel over horizon L+1
        The law to be preserved.

    Raises
    ------
    InvalidInput
        If a model is no table, the vocabularies differ or the target's horizon is not the draft's plus one.
    """

    contract: ClassVar[str] = "chain"
    draft: TabularModel
    target: TabularModel

    def __post_init__(self) -> None:
        _check_models(self.draft, self.target)
        if self.target.horizon != self.draft.horizon + 1:
            raise InvalidInput(
                f"target has horizon {self.target.horizon} and draft {self.draft.horizon}: "
                "the target needs one position more, for the bonus token"
            )

    @property
    def length(self) -> int:
        """L, the number of drafted tokens."""
        return self.draft.horizon

    @property
    def num_tokens(self) -> int:
        """V, the size of the vocabulary."""
        return self.draft.num_states

    @property
    def shape(self) -> tuple[int, ...]:
        """(L, V): problems of one shape fit into one batch."""
        return self.length, self.num_tokens

    @cached_property
    def target_law(self) -> Array:
        """The law of the completed sequence of a lossless sampler: the target's joint law, shape (V,) * (L+1)."""
        return self.target.joint()

    @property
    def emitted_shape(self) -> tuple[int, ...]:
        """Of the emitted law."""
        return (self.num_tokens + 1,) * (self.length + 1)

    @cached_property
    def draft_law(self) -> Array:
        """The completed law of a sampler that accepts every draft: a direction in which defects lie."""
        law: Array = self.draft.joint()[..., np.newaxis] * self.target.conditionals[-1]
        return law

    @cached_property
    def acceptance_bounds(self) -> Array:
        r"""The most a lossless sampler can accept, shape (L,): :math:`\sum_{x^i} \min(p(x^i), q(x^i))`, i = 1..L.

        Entry i-1 bounds the probability that the first i emitted tokens are the first i drafts: these are coupled
        variables of laws p and q, which agree with probability at most 1 - TV. For i = 1 it is reached.
        """
        bounds = []
        for index in range(1, self.length + 1):
            prefixes = [TabularModel(model.conditionals[:index]).joint() for model in (self.draft, self.target)]
            bounds.append(np.minimum(*prefixes).sum())
        limited: Array = np.minimum(bounds, 1.0)
        return limited

    def inputs(self, trials: int, rng: np.random.Generator) -> Inputs:
        """Draw the drafts of n trials and gather the probability rows that a model would have given with them."""
        inputs = self.empty_inputs(trials)
        self.fill(inputs, np.arange(trials), rng)
        return inputs

    def empty_inputs(self, trials: int) -> Inputs:
        """Room for n trials."""
        shape, size = (trials, self.length), self.num_tokens
        return Inputs(np.empty((*shape, size)), np.empty((trials, self.length + 1, size)), np.empty(shape, np.int64))

    def fill(self, inputs: Inputs, places: Tokens, rng: np.random.Generator) -> None:
        """Draw trials into some rows of a batch, which may be one of several problems."""
        draw_path(self._draft_tables, self._target_tables, places, *inputs, rng)

    def matches(self, inputs: Inputs, emitted: Tokens) -> Tokens:
        """How many leading emitted tokens are the drafts, shape (n,)."""
        same = emitted[:, : self.length] == inputs.draft_tokens
        return np.where(same.all(axis=1), self.length, np.argmin(same, axis=1))

    def outcomes(self, emitted: Tokens) -> Tokens:
        """Each row's place in the flattened emitted law, shape (n,)."""
        return _number(emitted + 1, self.num_tokens + 1)

    def complete(self, emitted: Tokens, rng: np.random.Generator) -> Tokens:
        """Draw the tokens that are missing from the target and give each row's place in the flattened completed law."""
        numbers = np.empty(emitted.shape[0], dtype=np.int64)
        complete_path(self._target_tables, emitted, numbers, rng)
        return numbers

    def completed(self, law: Array) -> Array:
        """The completed law of an emitted law: shape (V+1,) * (L+1) in, (V,) * (L+1) out."""
        size = self.num_tokens
        mass = np.zeros(1)
        for position in range(self.length + 1):
            # What ended before this position goes on by the target; what did not is read off the emitted law.
            rows = self.target.conditionals[position].reshape(-1, size)
            ended = law[(slice(1, None),) * (position + 1) + (0,) * (self.length - position)].reshape(-1)
            mass = (mass[:, np.newaxis] * rows).reshape(-1) + ended
        return mass.reshape((size,) * (self.length + 1))

    def describe(self) -> str:
        """Both models in lines of simple fractions."""
        return f"draft\n{_describe(self.draft)}\ntarget\n{_describe(self.target)}"

    def __repr__(self) -> str:
        return f"<chain, L={self.length}, V={self.num_tokens}>\n{self.describe()}"

    @cached_property
    def _draft_tables(self) -> Tables:
        return tables(self.draft)

    @cached_property
    def _target_tables(self) -> Tables:
        return tables(self.target)


@dataclass(frozen=True, eq=False, repr=False)
class MultiProblem:
    """k i.i.d. drafts for one position: the contract ``multi``.

    Parameters
    ----------
    draft, target : array_like, shape (V,)
    num_drafts : int
        k >= 1.

    Raises
    ------
    InvalidInput
        If a law is none, or the number of drafts is not an integer >= 1.
    """

    contract: ClassVar[str] = "multi"
    draft: Array
    target: Array
    num_drafts: int

    def __init__(self, draft: ArrayLike, target: ArrayLike, num_drafts: int) -> None:
        rows = as_pair(draft, target)
        if rows[0].ndim != 1:
            raise InvalidInput(f"draft has shape {rows[0].shape}: a problem has one distribution of shape (V,)")
        for name, value in zip(("draft", "target", "num_drafts"), (*rows, one_num_drafts(num_drafts)), strict=True):
            object.__setattr__(self, name, value)

    @property
    def num_tokens(self) -> int:
        """V, the size of the vocabulary."""
        return int(self.draft.size)

    @property
    def shape(self) -> tuple[int, ...]:
        """(k, V): problems of one shape fit into one batch."""
        return self.num_drafts, self.num_tokens

    @property
    def target_law(self) -> Array:
        """The law of the emitted token of a lossless sampler, shape (V,)."""
        return self.target

    @property
    def emitted_shape(self) -> tuple[int, ...]:
        """Of the emitted law."""
        return 2, self.num_tokens

    @property
    def draft_law(self) -> Array:
        """The law of a sampler that accepts its first draft whatever it is."""
        return self.draft

    @cached_property
    def acceptance_bounds(self) -> Array:
        """The optimal transport value alpha*, shape (1,): no lossless sampler accepts more often."""
        return np.atleast_1d(optimal_acceptance(self.draft, self.target, self.num_drafts))

    def inputs(self, trials: int, rng: np.random.Generator) -> Inputs:
        """Draw the drafts of n trials; every row of the probabilities is the same."""
        inputs = self.empty_inputs(trials)
        self.fill(inputs, np.arange(trials), rng)
        return inputs

    def empty_inputs(self, trials: int) -> Inputs:
        """Room for n trials."""
        rows = (trials, self.num_tokens)
        return Inputs(np.empty(rows), np.empty(rows), np.empty((trials, self.num_drafts), np.int64))

    def fill(self, inputs: Inputs, places: Tokens, rng: np.random.Generator) -> None:
        """Draw trials into some rows of a batch, which may be one of several problems."""
        inputs.draft_probs[places], inputs.target_probs[places] = self.draft, self.target
        uniforms = rng.random((len(places), self.num_drafts))
        inputs.draft_tokens[places] = np.searchsorted(self._cumulative, uniforms, side="right")

    def outcomes(self, emitted: Tokens, accepted: Tokens) -> Tokens:
        """Each trial's place in the flattened emitted law, shape (n,)."""
        return np.where(accepted >= 0, self.num_tokens, 0) + emitted

    def completed(self, law: Array) -> Array:
        """The law of the emitted token, whatever came of the drafts: shape (2, V) in, (V,) out."""
        token: Array = law.sum(axis=0)
        return token

    def describe(self) -> str:
        """Both laws in simple fractions, and the number of drafts."""
        return f"draft  {_fractions(self.draft)}\ntarget {_fractions(self.target)}\ndrafts {self.num_drafts}"

    def __repr__(self) -> str:
        return f"<multi, V={self.num_tokens}>\n{self.describe()}"

    @cached_property
    def _cumulative(self) -> Array:
        return cumulative_sums(self.draft)


@dataclass(frozen=True, eq=False, repr=False)
class GenerateProblem:
    """A whole decoding loop: the contract ``generate``.

    Parameters
    ----------
    draft, target : TabularModel
        Over the prompt and the tokens to generate at least; see :func:`next_token_law` for what is drafted beyond.
    prompt : tuple of int
        Tokens in 0..V-1; may be empty.
    length : int
        Tokens to generate, at least 1.

    Raises
    ------
    InvalidInput
        If a model is no table, the vocabularies differ, the prompt has a token outside them, the length is not an
        integer >= 1, or a horizon is too short.
    """

    contract: ClassVar[str] = "generate"
    draft: TabularModel
    target: TabularModel
    prompt: tuple[int, ...]
    length: int

    def __post_init__(self) -> None:
        _check_models(self.draft, self.target)
        object.__setattr__(self, "prompt", _as_prompt(self.prompt, self.num_tokens))
        object.__setattr__(self, "length", positive_integer(self.length, "length"))
        for name, model in (("draft", self.draft), ("target", self.target)):
            if model.horizon < len(self.prompt) + self.length:
                raise InvalidInput(
                    f"{name} has horizon {model.horizon}: a prompt of {len(self.prompt)} and {self.length} tokens "
                    f"need at least {len(self.prompt) + self.length}"
                )

    @property
    def num_tokens(self) -> int:
        """V, the size of the vocabulary."""
        return self.draft.num_states

    @property
    def shape(self) -> tuple[int, ...]:
        """(length, V)."""
        return self.length, self.num_tokens

    @cached_property
    def target_law(self) -> Array:
        """The law of the generated tokens of a lossless loop, shape (V,) * length."""
        return self._after_prompt(self.target)

    @property
    def emitted_shape(self) -> tuple[int, ...]:
        """Of the emitted law."""
        return (self.num_tokens,) * self.length

    @cached_property
    def draft_law(self) -> Array:
        """The law of a loop that accepts every draft."""
        return self._after_prompt(self.draft)

    def outcomes(self, tokens: Tokens) -> Tokens:
        """Each row's place in the flattened emitted law, shape (n,)."""
        return _number(tokens, self.num_tokens)

    def completed(self, law: Array) -> Array:
        """The law itself: the sequences are whole."""
        return law

    def describe(self) -> str:
        """Both models in lines of simple fractions, and the prompt."""
        needed = len(self.prompt) + self.length
        models = (f"{name}\n{_describe(getattr(self, name), needed)}" for name in ("draft", "target"))
        return "\n".join((*models, f"prompt {list(self.prompt)}, length {self.length}"))

    def __repr__(self) -> str:
        return f"<generate, length={self.length}, V={self.num_tokens}>\n{self.describe()}"

    def _after_prompt(self, model: TabularModel) -> Array:
        first = len(self.prompt)
        return TabularModel([table[self.prompt] for table in model.conditionals[first : first + self.length]]).joint()


Problem = ChainProblem | MultiProblem | GenerateProblem


def next_token_law(model: TabularModel, tokens: ArrayLike) -> Array:
    """The law of the next token after each row of tokens: a tabular model as a model.

    Past the model's horizon all tokens are equally likely: a loop may draft as far ahead as it likes, and nothing that
    it emits within the horizon depends on what is drafted there.

    Parameters
    ----------
    model : TabularModel
    tokens : array_like of int, shape (n, m)
        One text a row, in tokens 0..V-1; m may be 0.

    Returns
    -------
    array, shape (n, V)

    Raises
    ------
    InvalidInput
        If the model is no table, or the tokens are not rows of integers in 0..V-1: what pads a text is no token.
    """
    _check_table(model, "model")
    rows = _as_tokens(tokens, model.num_states)
    shape = len(rows), model.num_states
    if rows.shape[1] >= model.horizon:
        return np.full(shape, 1.0 / model.num_states)
    return np.array(np.broadcast_to(model.conditionals[rows.shape[1]][tuple(rows.T)], shape))


def _check_table(model: TabularModel, name: str) -> None:
    if not isinstance(model, TabularModel):
        raise InvalidInput(
            f"{name} is a {type(model).__name__}: give a TabularModel, such as MarkovChain.tabulate() makes"
        )


def _check_models(draft: TabularModel, target: TabularModel) -> None:
    _check_table(draft, "draft")
    _check_table(target, "target")
    if draft.num_states != target.num_states:
        raise InvalidInput(
            f"draft has {draft.num_states} tokens and target {target.num_states}: both must be over one vocabulary"
        )


def _as_prompt(prompt: Sequence[int], num_tokens: int) -> tuple[int, ...]:
    if not isinstance(prompt, Sequence | np.ndarray):
        raise InvalidInput(f"prompt is {prompt!r}: give a tuple of tokens, such as (0,)")
    tokens = tuple(natural_number(token, f"prompt[{index}]") for index, token in enumerate(prompt))
    for index, token in enumerate(tokens):
        if token >= num_tokens:
            raise InvalidInput(f"prompt[{index}] is {token}: tokens are 0..{num_tokens - 1}")
    return tokens


def _as_tokens(tokens: ArrayLike, num_tokens: int) -> Tokens:
    try:
        array = np.asarray(tokens)
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"tokens is not an array ({error}): give texts of one length, shape (n, m)") from None
    if array.ndim != 2:
        raise InvalidInput(f"tokens has shape {array.shape}: give one text a row, shape (n, m)")
    if array.size and array.dtype.kind not in "iu":  # what is empty, as [[]], has no dtype of its own
        raise InvalidInput(f"tokens has dtype {array.dtype}: token ids are integers")
    rows: Tokens = array.astype(np.int64, copy=False)
    # Loops call this for every token: unsigned, what is negative is too large, and one pass is enough.
    if rows.view(np.uint64).max(initial=0) >= num_tokens:
        where, index = first_entry((rows < 0) | (rows >= num_tokens), "tokens")
        raise InvalidInput(f"{where} is {array[index]}: tokens are 0..{num_tokens - 1}, and what pads a text is none")
    return rows


def _number(digits: Tokens, base: int) -> Tokens:
    number = np.zeros(digits.shape[0], dtype=np.int64)
    for column in digits.T:
        number = number * base + column
    return number


def _describe(model: TabularModel, positions: int | None = None) -> str:
    """One line for each position and each context that matters to it."""
    return "\n".join(
        line for index, table in enumerate(model.conditionals[:positions]) for line in _position_lines(index, table)
    )


def _position_lines(index: int, table: Array) -> list[str]:
    size = table.shape[-1]
    memory = next(m for m in range(index + 1) if _depends_on_last(table, m))
    lines = []
    for context in np.ndindex((size,) * memory):
        given = ", ".join(f"x{index - memory + 1 + place}={token}" for place, token in enumerate(context))
        row = table[(0,) * (index - memory) + context]
        lines.append(f"  x{index + 1}{' | ' + given if given else ''}: {_fractions(row)}")
    return lines


def _depends_on_last(table: Array, memory: int) -> bool:
    """Whether no more than the last ``memory`` tokens of the context matter."""
    return bool(np.array_equal(np.broadcast_to(table[(0,) * (table.ndim - 1 - memory)], table.shape), table))


def _fractions(row: Array) -> str:
    return "(" + ", ".join(map(_fraction, row)) + ")"


def _fraction(value: Any) -> str:
    simple = Fraction(float(value)).limit_denominator(1000)
    return str(simple) if abs(float(simple) - value) <= 1e-12 and (simple or not value) else f"{value:.6g}"
