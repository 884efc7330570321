"""Traces at full size: measuring and pricing one of a pair, and capturing one from files of logits."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from benchmarks.timing import Comparison, best
from specproof.simulations.samplers.inversion import invert
from specproof.simulations.traces.ask import asked_configurations
from specproof.simulations.traces.capture_arrays import capture_arrays
from specproof.simulations.traces.configuration import Configuration
from specproof.simulations.traces.measuring import make_measurement
from specproof.simulations.traces.parts import Columns
from specproof.simulations.traces.pricing import price
from specproof.simulations.traces.trace import Trace, pack
from specproof.simulations.traces.trace_header import TextRecord
from specproof.theory.distribution import Array, softmax

NUM_DRAFTS, LENGTHS = 8, (1, 2, 3, 4, 6, 8, 12, 16)
VOCABULARY, POSITIONS, MEASURED = 49_152, 1_300, 26
"""Of the trace so many positions are measured, and stand for the others: each costs the same."""

LIMIT = 120.0
"""A minute on two cores."""

LARGEST, ROWS, CAPTURED = 152_064, 300, 30
CAPTURE_LIMIT = 60.0


def compare() -> Iterator[Comparison]:
    """Time what is asked of traces against its limits."""
    rng = np.random.default_rng(0)
    logits = _logits(MEASURED, VOCABULARY, rng)
    trace = _repeated(_measure(*logits), POSITIONS // MEASURED)  # which compiles what is timed next
    measured = _seconds(partial(_measure, *logits))
    seconds = POSITIONS / MEASURED * measured + best(partial(price, trace, asked(trace)), repeats=1)
    what = f"pricing a trace, V = {VOCABULARY:,}, {POSITIONS:,} positions, K <= {NUM_DRAFTS}, L <= {max(LENGTHS)}"
    yield Comparison(what, seconds, LIMIT, f"limit of {LIMIT:.0f} s", 1.0)
    seconds = ROWS / CAPTURED * _capture_from_files(*_logits(CAPTURED, LARGEST, rng))
    what = f"capture from .npy, V = {LARGEST:,}, {ROWS} positions, K <= {NUM_DRAFTS}"
    yield Comparison(what, seconds, CAPTURE_LIMIT, f"limit of {CAPTURE_LIMIT:.0f} s", 1.0)


def asked(trace: Trace) -> list[Configuration]:
    """Ask for every rule at all sizes."""
    return asked_configurations(trace, num_drafts=range(1, NUM_DRAFTS + 1), lengths=LENGTHS)


def _logits(count: int, vocabulary: int, rng: np.random.Generator) -> tuple[Array, Array]:
    draft = 3.0 * rng.standard_normal((count, vocabulary))
    return draft, draft + rng.standard_normal(draft.shape)


def _measure(draft: Array, target: Array) -> Columns:
    """Measure a text of the target."""
    measurement = make_measurement(None, None, NUM_DRAFTS, 0)
    laws = softmax(draft), softmax(target)
    return measurement.measure([laws[0]], laws[1], _text(laws[1]), np.random.default_rng(0))


def _text(laws: Array) -> NDArray[np.int64]:
    """Draw a token from each distribution."""
    tokens: NDArray[np.int64] = invert(laws, np.random.default_rng(1).random(len(laws)))
    return tokens


def _repeated(columns: Columns, texts: int) -> Trace:
    """Make a trace of so many texts that are all the same."""
    tokens = len(columns["token"])
    many = {name: np.concatenate([values] * texts) for name, values in columns.items()}
    places = {"text": np.repeat(np.arange(texts), tokens), "position": np.tile(np.arange(tokens), texts)}
    header = make_measurement(None, None, NUM_DRAFTS, 0).header("pair", "a pair", VOCABULARY)
    records = tuple(TextRecord(str(number), tokens, ended=False) for number in range(texts))
    return pack(replace(header, texts=records), many | places)


def _capture_from_files(draft: Array, target: Array) -> float:
    """Capture from two files in float16, and give the seconds."""
    with TemporaryDirectory() as folder:
        first, second = (Path(folder) / f"{name}.npy" for name in ("draft", "target"))
        for file, logits in ((first, draft), (second, target)):
            np.save(file, logits.astype(np.float16))
        tokens = _text(softmax(target))
        return _seconds(partial(capture_arrays, first, second, tokens, num_drafts=NUM_DRAFTS))


def _seconds(call: Callable[[], object]) -> float:
    """Time one call: these take seconds each, and are compiled by what was run before."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start
