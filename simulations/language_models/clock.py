"""What a call of the target and a step of the draft take on this machine, by rows and tokens."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
import torch

from specproof.simulations.language_models.model_pair import ModelPair
from specproof.simulations.language_models.next_token_model import NextTokenModel
from specproof.simulations.samplers import SAMPLERS
from specproof.simulations.samplers.inversion import invert
from specproof.theory.errors import InvalidInput
from specproof.theory.integers import positive_integer


@dataclass(frozen=True)
class Clock:
    """Median seconds of the parts of a round, by the clock; between the measured sizes they are interpolated.

    Beyond the largest size the last slope goes on, and below the smallest the smallest is given.
    """

    target_calls: Mapping[tuple[int, int], float]
    """Seconds of a call of the target by rows and tokens, for a full grid of them."""
    draft_steps: Mapping[int, float]
    """Seconds to draft one more token of so many rows: the draft's logits, its distributions and the draw."""
    tests: Mapping[int, float]
    """Seconds to put so many drafts at one position to the test: the target's distribution, the test and the draw."""
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

    def selection(self, num_drafts: int, tests: float) -> float:
        """Seconds of so many tests of drafts at a position, expected numbers too."""
        return tests * _interpolate(num_drafts, self.tests)

    def seconds(self, num_drafts: int, length: int) -> float:
        """Seconds of a round of one text that drafts so many sequences; of length 0 it is the target alone.

        The first token of all sequences is drafted from one row, and every level of a round is tested at most once; the
        token after the last level is drawn as that of the target alone is.
        """
        if not length:
            return self.target(1, 1) + self.selection(1, 1)
        drafted = self.draft(1) + (length - 1) * self.draft(num_drafts) + _interpolate(num_drafts, self.copies)
        tested = self.selection(num_drafts, length) + self.selection(1, 1)
        return drafted + self.target(num_drafts, length + 1) + tested


def measure_clock(
    pair: ModelPair, rows: Sequence[int], tokens: Sequence[int], *, context: int = 64, repeats: int = 5
) -> Clock:
    """Measure the parts of a round, warm and one after the other, and keep the median of each.

    Parameters
    ----------
    pair : ModelPair
    rows : sequence of int
        Sequences read side by side, each >= 1.
    tokens : sequence of int
        New tokens that the target reads of each in a call, each >= 1.
    context : int
        Tokens that were read before.
    repeats : int
        Measurements of each part, after one to warm up.

    Raises
    ------
    InvalidInput
        If a number is not an integer >= 1, there are none, or a model's context is too short.
    """
    counts = [positive_integer(each, f"rows[{place}]") for place, each in enumerate(rows)]
    widths = [positive_integer(each, f"tokens[{place}]") for place, each in enumerate(tokens)]
    context, repeats = positive_integer(context, "context"), positive_integer(repeats, "repeats")
    if not counts or not widths:
        raise InvalidInput("rows or tokens is empty: give at least one number of each")
    for model in (pair.draft, pair.target):
        model.require_room(context + max(widths), context + max(widths))
    text = [1 + place % (pair.target.vocabulary - 1) for place in range(context)]
    calls = {
        (each, width): _call_seconds(pair.target, [text] * each, width, repeats) for each in counts for width in widths
    }
    steps = {each: _call_seconds(pair.draft, [text] * each, 1, repeats, draw=True) for each in counts}
    tests = {each: _test_seconds(pair, each, repeats) for each in counts}
    return Clock(calls, steps, tests, {each: _copy_seconds(pair, text, each, repeats) for each in counts})


@torch.inference_mode()
def _call_seconds(model: NextTokenModel, texts: list[list[int]], width: int, repeats: int, draw: bool = False) -> float:
    read = model.read(texts)
    fed = torch.ones((len(texts), width), dtype=torch.int64, device=model.device)
    keep, back = torch.ones_like(fed, dtype=torch.bool), torch.full_like(fed[:, 0], width)
    uniforms = torch.full((len(texts),), 0.5, dtype=torch.float64, device=model.device)

    def call() -> None:
        logits = read.append(fed, keep)
        if draw:
            invert(model.law(logits[:, -1]), uniforms)

    # Taken back each time; the columns stay, and a call reads a few more of them than the context has.
    return _median_seconds(call, model.device, repeats, after=lambda: read.forget(back))


@torch.inference_mode()
def _test_seconds(pair: ModelPair, num_drafts: int, repeats: int) -> float:
    """Time K-SEQ, which for one draft is the rule of one draft."""
    device, size = pair.target.device, pair.target.vocabulary
    logits = torch.linspace(-8.0, 8.0, size, device=device)[None]
    draft = pair.target.law(0.9 * logits)
    drafts = torch.arange(num_drafts, device=device)[None] + size - num_drafts
    uniforms = torch.full((1, num_drafts + 1), 0.5, dtype=torch.float64, device=device)
    verify = SAMPLERS["kseq" if num_drafts > 1 else "single"]

    def test() -> None:
        verify(draft, pair.target.law(logits), drafts, uniforms)

    return _median_seconds(test, device, repeats)


@torch.inference_mode()
def _copy_seconds(pair: ModelPair, text: list[int], rows: int, repeats: int) -> float:
    caches = [model.read([text]) for model in (pair.draft, pair.target)]
    one = torch.zeros(1, dtype=torch.int64, device=pair.target.device)

    def copy() -> None:
        for cache in caches:
            cache.select(one.expand(rows))
            cache.select(one)

    return _median_seconds(copy, pair.target.device, repeats)


def _median_seconds(
    call: Callable[[], None], device: str, repeats: int, after: Callable[[], None] = lambda: None
) -> float:
    seconds = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        call()
        if torch.device(device).type == "cuda":
            torch.cuda.synchronize(device)
        seconds.append(time.perf_counter() - start)
        after()
    return median(seconds[1:])


def _interpolate(size: float, table: Mapping[int, float]) -> float:
    """Read a piecewise linear curve; its last slope goes on."""
    sizes = sorted(table)
    if len(sizes) > 1 and size > sizes[-1]:
        (first, low), (last, high) = ((each, table[each]) for each in sizes[-2:])
        return high + (high - low) * (size - last) / (last - first)
    return float(np.interp(size, sizes, [table[each] for each in sizes]))
