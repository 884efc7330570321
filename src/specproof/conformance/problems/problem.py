"""What every problem can do, whatever its contract: the protocol that the rest of the kit is written against.

Problems whose samplers are handed probability rows and drafts share more: trials of several fit into one batch.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from specproof.conformance.contract import Contract
from specproof.conformance.problems.answers import Emission, Sample
from specproof.conformance.problems.degenerate_pairs import DEGENERATE_LAWS
from specproof.conformance.problems.drawing import Tokens
from specproof.conformance.subject.sampler_under_test import Subject
from specproof.theory.chain import TabularModel
from specproof.theory.distribution import Array

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn


class Inputs(NamedTuple):
    """What a verifier is handed beside its generator: n independent trials."""

    draft_probs: Any
    """An array, or None where the drafts are certain and have no law beside them."""
    target_probs: Array
    draft_tokens: Tokens

    @property
    def trials(self) -> int:
        """The number of trials, n."""
        return len(self.draft_tokens)


class Problem(ABC):
    """A small known draft and target in one contract, the inputs drawn from them, and the law that must come out.

    A contract is one subclass. Lossless samplers may differ in their *emitted law*, an array over everything that a
    sampler can return: one accepts more than another. What they share is the *completed law* (:meth:`completed`), which
    is the target's (:attr:`target_law`).

    Attributes
    ----------
    contract : Contract
        The contract is the signature of the samplers that the problem is for.
    size_name : str
        The letter of the contract for the first entry of :attr:`shape`, as a report writes it.
    acceptance_title : str
        The event that :attr:`acceptance_bounds` bounds first, as a sentence; empty if drafts are not seen.
    overlooking : str
        What a sampler does that does not know of :attr:`unusual` inputs, as a sentence.
    in_small_batches : dict of str to int
        Problems of the ladder for small batches: each comes in every so many-th turn of all, the fourth at last.
    """

    contract: ClassVar[Contract]
    size_name: ClassVar[str]
    acceptance_title: ClassVar[str] = ""
    overlooking: ClassVar[str] = ""
    in_small_batches: ClassVar[Mapping[str, int]]

    @classmethod
    @abstractmethod
    def examples(cls) -> dict[str, Self]:
        """Make the problems whose laws are tested, by name, the smallest first; no token of them is impossible."""

    @classmethod
    @abstractmethod
    def degenerate(cls, draft: Array, target: Array) -> Self:
        """Make a small problem of a degenerate pair of laws."""

    @classmethod
    def degenerates(cls) -> Mapping[str, Self]:
        """Make the degenerate problems, by name: one of each pair of degenerate laws."""
        return {name: cls.degenerate(*pair) for name, pair in DEGENERATE_LAWS.items()}

    @classmethod
    @abstractmethod
    def drawn(cls, draw: DrawFn) -> Self:
        """Draw a problem from hypothesis's strategies."""

    @property
    @abstractmethod
    def models(self) -> tuple[TabularModel, TabularModel]:
        """The draft and the target as models; of one position if they are single laws."""

    @property
    @abstractmethod
    def tables(self) -> tuple[Array, ...]:
        """All arrays that the problem holds."""

    @abstractmethod
    def with_models(self, draft: TabularModel, target: TabularModel) -> Self:
        """Put other models in the place of :attr:`models`."""

    @abstractmethod
    def shorter(self) -> Iterator[Self]:
        """Make problems with fewer drafts or positions, a step each."""

    @property
    @abstractmethod
    def num_tokens(self) -> int:
        """V, the size of the vocabulary."""

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """What problems have in common that fit into one batch: the size of ``size_name``, and V."""

    @property
    def size(self) -> tuple[int, int, int]:
        """What shrinking makes smaller: outcomes, drafts for one position, and the length of the description."""
        return self.target_law.size, 1, len(self.describe())

    @property
    @abstractmethod
    def target_law(self) -> Array:
        """The completed law of every lossless sampler."""

    @property
    @abstractmethod
    def draft_law(self) -> Array:
        """The completed law of a sampler that accepts every draft: a direction in which defects lie."""

    @property
    @abstractmethod
    def emitted_shape(self) -> tuple[int, ...]:
        """The shape of the emitted law, see :class:`~specproof.conformance.contract.Contract`."""

    @abstractmethod
    def completed(self, law: Array) -> Array:
        """Give the completed law of an emitted law."""

    @cached_property
    def completions(self) -> Array:
        """The completed law of every emitted outcome, a row each, both flattened; zeros where none can be."""
        outcomes = int(np.prod(self.emitted_shape))
        certain = np.eye(outcomes).reshape(outcomes, *self.emitted_shape)
        return np.stack([self.completed(law).reshape(-1) for law in certain])

    @property
    def draft_chances(self) -> Array:
        """The probability of everything that can be drafted, numbered by :meth:`number_drafts`; 1 if nothing is."""
        return np.ones(1)

    def number_drafts(self, arguments: Any) -> Tokens:
        """Number the drafts of each trial, shape (n,)."""
        return np.zeros(arguments.trials, dtype=np.int64)

    @property
    def acceptance_bounds(self) -> Array:
        """The most that a lossless sampler can accept, an entry for each event; empty if drafts are not seen."""
        return np.empty(0)

    @property
    def plain_acceptances(self) -> Array:
        """What a known lossless sampler accepts of :attr:`acceptance_bounds`, for the first of these that are given."""
        return self.acceptance_bounds[:1]

    def acceptances(self, accepted: Tokens) -> list[NDArray[np.bool_]]:
        """Say for each of :attr:`acceptance_bounds` in which trials its event came, from :attr:`Emission.accepted`."""
        del accepted
        return []

    def acceptance_event(self, index: int) -> str:
        """Name the event of one of :attr:`acceptance_bounds`, in the past tense."""
        raise IndexError(f"there is no bound {index} on acceptance in the contract {self.contract}")

    @property
    def required(self) -> frozenset[str]:
        """The names of the parameters that a sampler must have to be asked at all; none for most problems."""
        return frozenset()

    def positional(self, arguments: Any) -> Sequence[Any]:
        """What a sampler is handed in order, before its generator."""
        handed: Sequence[Any] = arguments
        return handed

    def named(self, arguments: Any) -> Mapping[str, Any]:
        """What a sampler is told by name, of which it is handed what it has parameters for."""
        del arguments
        return {}

    def reseeded(self, arguments: Any, seed: int) -> Any:
        """Give the same arguments, in which seeds of single rows, if there are any, follow from another seed."""
        del seed
        return arguments

    @property
    def unusual(self) -> str:
        """What a sampler may not know of, such as ragged batches: left out if it raises or overlooks that."""
        return ""

    def overlooked(self, subject: Subject, rng: np.random.Generator) -> bool:
        """Whether a sampler shows that it does not know of such inputs; a Crash if it cannot be called with them."""
        del subject, rng
        return False

    @property
    def batched(self) -> VerifierProblem | None:
        """The problem itself if its trials can stand in one batch with those of another, None otherwise."""
        return None

    def prepare(self) -> None:
        """Compile and lay out what drawing and reading take: no clock is to count that."""
        self.arguments(1, np.random.default_rng(0))

    @abstractmethod
    def arguments(self, trials: int, rng: np.random.Generator) -> Any:
        """Draw what the sampler is called with before its generator: a named tuple that knows its ``trials``."""

    @abstractmethod
    def parse(self, result: Any, arguments: Any) -> Emission:
        """Take an answer to some arguments apart.

        Raises
        ------
        InvalidOutput
            If it is not well-formed.
        """

    @abstractmethod
    def take_apart(self, emission: Emission, rng: np.random.Generator) -> Sample:
        """Number the outcomes of each trial in the emitted law and, once completed, in the completed law."""

    def chance_of_drafts(self, arguments: Any) -> Array:
        """Give the probability of the drafts of each trial, shape (n,); 1 if drafts are not handed out."""
        return np.ones(arguments.trials)

    @abstractmethod
    def describe(self) -> str:
        """Describe both models in simple fractions."""

    def ask(self, subject: Subject, arguments: Any, seed: int) -> Emission:
        """Call a sampler under test and take its answer apart.

        Raises
        ------
        Crash, InvalidOutput
            If the sampler fails, see :mod:`specproof.conformance.subject.failures`.
        """
        asked = f"n = {arguments.trials}, {self.size_name} = {self.shape[0]}, V = {self.num_tokens}"
        result = subject.call(self.positional(arguments), arguments.trials, seed, asked, self.named(arguments))
        return self.parse(result, arguments)

    def __repr__(self) -> str:
        return f"<{self.contract}, {self.size_name}={self.shape[0]}, V={self.num_tokens}>\n{self.describe()}"


class VerifierProblem(Problem):
    """A problem of drafts that are handed out with their probabilities."""

    @property
    def batched(self) -> Self:
        """The problem itself: its trials can stand in one batch with those of another of its shape."""
        return self

    @cached_property
    def mirrored(self) -> Self:
        """The problem with its tokens in reverse order: in a batch with it, rows that are mixed up have another law."""
        draft, target = (TabularModel([np.flip(table) for table in model.conditionals]) for model in self.models)
        return self.with_models(draft, target)

    def inputs(self, trials: int, rng: np.random.Generator) -> Any:
        """Draw the drafts of n trials and gather the probability rows that a model would have given with them."""
        inputs = self.empty_inputs(trials)
        self.fill(inputs, np.arange(trials), rng)
        return inputs

    def arguments(self, trials: int, rng: np.random.Generator) -> Any:
        """Draw the inputs of n trials."""
        return self.inputs(trials, rng)

    @abstractmethod
    def empty_inputs(self, trials: int) -> Any:
        """Make room for n trials."""

    @abstractmethod
    def fill(self, inputs: Any, places: Tokens, rng: np.random.Generator) -> None:
        """Draw trials into some rows of a batch, which may be one of several problems."""

    def chance_of_drafts(self, arguments: Any) -> Array:
        """Give the probability of the drafts of each trial, shape (n,); drafts without a law are certain."""
        if arguments.draft_probs is None:
            return np.ones(arguments.trials)
        rows = arguments.draft_probs.reshape(arguments.trials, -1, self.num_tokens)
        rows = np.broadcast_to(rows, (*arguments.draft_tokens.shape, self.num_tokens))
        drawn = np.take_along_axis(rows, arguments.draft_tokens[..., np.newaxis], -1)
        chance: Array = drawn[..., 0].prod(axis=1)
        return chance
