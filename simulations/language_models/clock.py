"""What a call of the target and a step of the draft take on this machine, by rows and tokens."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from specproof.simulations.language_models.model_pair import ModelPair
from specproof.simulations.language_models.next_token_model import NextTokenModel
from specproof.simulations.samplers import SAMPLERS
from specproof.simulations.samplers.inversion import invert
from specproof.theory.errors import InvalidInput
from specproof.theory.integers import positive_integer

ONE_DRAFT, FLAGSHIP = "single", "kseq"


@dataclass(frozen=True)
class Clock:
    """Seconds of the parts of a round, by the clock; between the measured sizes they are interpolated.

    Beyond the largest size the last slope goes on, and below the smallest the smallest is given.
    """

    target_calls: Mapping[tuple[int, int], float]
    """Seconds of a call of the target by rows and tokens, for a full grid of them."""
    draft_steps: Mapping[int, float]
    """Seconds to draft one more token of so many rows: the draft's logits, its distributions and the draw."""
    tests: Mapping[tuple[str, int], float]
    """Seconds to put so many drafts at one position to a verifier: the target's distribution, the test and the draw.

    One draft is put to the rule of one draft, whatever the verifier of several is.
    """
    copies: Mapping[int, float]
    """Seconds to copy what both models have read of one text for so many sequences, and to go on with one of them."""

    def target(self, rows: int, tokens: int) -> float:
        """Seconds of a call of the target over so many rows, with so many new tokens in each."""
        counts = sorted({tokens for _, tokens in self.target_calls})
        lines = {
            each: _interpolate(tokens, {count: self.target_calls[each, count] for count in counts})
            for each, _ in self.target_calls
        }
        return _interpolate(rows, lines)

    def draft(self, rows: int) -> float:
        """Seconds to draft one more token of so many rows."""
        return _interpolate(rows, self.draft_steps)

    def selection(self, num_drafts: int, tests: float, verifier: str = FLAGSHIP) -> float:
        """Seconds of so many tests of drafts at a position, expected numbers too.

        A rule that was not measured is taken for K-SEQ.
        """
        known = verifier if any(name == verifier for name, _ in self.tests) else FLAGSHIP
        by_drafts = {count: each for (name, count), each in self.tests.items() if name in (known, ONE_DRAFT)}
        return tests * _interpolate(num_drafts, by_drafts)

    def seconds(self, num_drafts: int, length: int, verifier: str = FLAGSHIP) -> float:
        """Seconds of a round of one text that drafts so many sequences; of length 0 it is the target alone.

        The first token of all sequences is drafted from one row, and every level of a round is tested at most once; the
        token after the last level is drawn as that of the target alone is.
        """
        if not length:
            return self.target(1, 1) + self.selection(1, 1)
        drafted = self.draft(1) + (length - 1) * self.draft(num_drafts) + _interpolate(num_drafts, self.copies)
        tested = self.selection(num_drafts, length, verifier) + self.selection(1, 1)
        return drafted + self.target(num_drafts, length + 1) + tested


class _Part(NamedTuple):
    """A part of a round, ready to be timed."""

    prepare: Callable[[], Callable[[], None]]
    """Gets ready, outside the time, and gives what is timed."""
    seconds: list[float]
    """What was measured."""


class ClockSamples:
    """The parts of a round, timed again and again, one after the other, whenever a sample is asked for.

    A disturbance of the machine that lasts longer than a sample falls on all parts alike; and where samples are taken
    in alternation with decoding, it falls on what is predicted as on what is measured.

    Parameters
    ----------
    pair : ModelPair
    rows : sequence of int
        Sequences read side by side, each >= 1.
    tokens : sequence of int
        New tokens that the target reads of each in a call, each >= 1.
    context : int
        Tokens that were read before.
    verifiers : sequence of str
        The verifiers whose tests of several drafts are timed.

    Raises
    ------
    InvalidInput
        If a number is not an integer >= 1, there are none, or a model's context is too short.
    """

    def __init__(
        self,
        pair: ModelPair,
        rows: Sequence[int],
        tokens: Sequence[int],
        *,
        context: int = 64,
        verifiers: Sequence[str] = (FLAGSHIP,),
    ) -> None:
        counts = [positive_integer(each, f"rows[{place}]") for place, each in enumerate(rows)]
        widths = [positive_integer(each, f"tokens[{place}]") for place, each in enumerate(tokens)]
        context = positive_integer(context, "context")
        if not counts or not widths:
            raise InvalidInput("rows or tokens is empty: give at least one number of each")
        for model in (pair.draft, pair.target):
            model.require_room(context + max(widths), context + max(widths))
        self._pair = pair
        self._text = [1 + place % (pair.target.vocabulary - 1) for place in range(context)]
        self._calls = {(each, width): self._part(self._call, each, width) for each in counts for width in widths}
        self._steps, self._copies = (
            {each: self._part(make, each) for each in counts} for make in (self._step, self._copy)
        )
        several = [(name, each) for name in verifiers for each in counts if each > 1]
        self._tests = {each: self._part(self._test, *each) for each in ((ONE_DRAFT, 1), *several)}

    def _part(self, make: Callable[..., Callable[[], None]], *sizes: object) -> _Part:
        return _Part(lambda: make(*sizes), [])

    @torch.inference_mode()
    def take(self, *, keep: bool = True) -> None:
        """Time every part once; what only warms up is not kept."""
        for part in (*self._calls.values(), *self._steps.values(), *self._tests.values(), *self._copies.values()):
            call = part.prepare()
            seconds = _timed(call, self._pair.target.device)
            if keep:
                part.seconds.append(seconds)

    def clock(self, average: Callable[[list[float]], float] = median) -> Clock:
        """Average the samples: by the median, or by the mean to compare it with a sum of times taken in between."""
        calls = {size: average(part.seconds) for size, part in self._calls.items()}
        tests = {rule: average(part.seconds) for rule, part in self._tests.items()}
        steps, copies = (
            {size: average(part.seconds) for size, part in parts.items()} for parts in (self._steps, self._copies)
        )
        return Clock(calls, steps, tests, copies)

    def _call(self, rows: int, width: int) -> Callable[[], None]:
        return self._append(self._pair.target, rows, width)[0]

    def _step(self, rows: int) -> Callable[[], None]:
        append, logits = self._append(self._pair.draft, rows, 1)
        uniforms = torch.full((rows,), 0.5, dtype=torch.float64, device=self._pair.draft.device)

        def step() -> None:
            append()
            invert(self._pair.draft.law(logits[-1][:, -1]), uniforms)

        return step

    def _append(self, model: NextTokenModel, rows: int, width: int) -> tuple[Callable[[], None], list[Tensor]]:
        """Read a text of so many rows anew; what is timed reads the next columns of it, and takes them back."""
        read, logits = model.read([self._text] * rows), list[Tensor]()
        fed = torch.ones((rows, width), dtype=torch.int64, device=model.device)
        keep, back = torch.ones_like(fed, dtype=torch.bool), torch.full_like(fed[:, 0], width)

        def append() -> None:
            logits.append(read.append(fed, keep))
            read.forget(back)

        return append, logits

    def _test(self, verifier: str, num_drafts: int) -> Callable[[], None]:
        device, size, law = self._pair.target.device, self._pair.target.vocabulary, self._pair.target.law
        logits = torch.linspace(-8.0, 8.0, size, device=device)[None]
        draft = law(0.9 * logits)
        drafts = torch.arange(num_drafts, device=device)[None] + size - num_drafts
        uniforms = torch.full((1, num_drafts + 1), 0.5, dtype=torch.float64, device=device)
        verify = SAMPLERS[verifier]

        def test() -> None:
            verify(draft, law(logits), drafts, uniforms)

        return test

    def _copy(self, rows: int) -> Callable[[], None]:
        caches = [model.read([self._text]) for model in (self._pair.draft, self._pair.target)]
        one = torch.zeros(1, dtype=torch.int64, device=self._pair.target.device)

        def copy() -> None:
            for cache in caches:
                cache.select(one.expand(rows))
                cache.select(one)

        return copy


def measure_clock(
    pair: ModelPair,
    rows: Sequence[int],
    tokens: Sequence[int],
    *,
    context: int = 64,
    verifiers: Sequence[str] = (FLAGSHIP,),
    repeats: int = 5,
) -> Clock:
    """Measure the parts of a round, warm, and keep the median of each.

    Parameters
    ----------
    pair : ModelPair
    rows, tokens : sequences of int
        As :class:`ClockSamples` takes them; so are the next two.
    context : int
    verifiers : sequence of str
    repeats : int
        Measurements of each part, after one to warm up.

    Raises
    ------
    InvalidInput
        If a number is not an integer >= 1, there are none, or a model's context is too short.
    """
    repeats = positive_integer(repeats, "repeats")
    samples = ClockSamples(pair, rows, tokens, context=context, verifiers=verifiers)
    samples.take(keep=False)
    for _ in range(repeats):
        samples.take()
    return samples.clock()


def _timed(call: Callable[[], None], device: str) -> float:
    cuda = torch.device(device).type == "cuda"
    if cuda:
        torch.cuda.synchronize(device)  # what was prepared
    start = time.perf_counter()
    call()
    if cuda:
        torch.cuda.synchronize(device)
    return time.perf_counter() - start


def _interpolate(size: float, table: Mapping[int, float]) -> float:
    """Read a piecewise linear curve; its last slope goes on."""
    sizes = sorted(table)
    if len(sizes) > 1 and size > sizes[-1]:
        (first, low), (last, high) = ((each, table[each]) for each in sizes[-2:])
        return high + (high - low) * (size - last) / (last - first)
    return float(np.interp(size, sizes, [table[each] for each in sizes]))
