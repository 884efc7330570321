"""A trace from saved logits: arrays of both models along texts, read a few rows at a time."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from specproof.simulations.mapped_array import let_go
from specproof.simulations.traces.array_source import ArraySource, NamedArray, open_source
from specproof.simulations.traces.measuring import Measurement, make_measurement
from specproof.simulations.traces.parts import Capture, Columns, Progress, ShowProgress, join, silent
from specproof.simulations.traces.trace import Trace
from specproof.simulations.traces.trace_header import TextRecord
from specproof.theory.rows import in_threads
from specproof.theory.sampling_settings import SamplingSettings

ROWS = 32
"""Rows a group: a few seconds of work at the vocabularies of today."""

TOGETHER = 4
"""Rows measured together."""


def capture_arrays(
    draft_logits: ArrayLike | str | Path,
    target_logits: ArrayLike | str | Path,
    tokens: ArrayLike | str | Path,
    out: str | Path | None = None,
    *,
    settings: SamplingSettings | None = None,
    draft_temperatures: Sequence[float] | None = None,
    num_drafts: int = 8,
    seed: int = 0,
    fresh: bool = False,
    progress: ShowProgress = silent,
) -> Trace:
    """Measure texts whose logits were saved.

    The row of logits at t is what the *distribution of token t* is made of. A forward pass over a text gives in row t
    the logits of token t + 1: shift them by one, the first row being the one that the last token of the prompt gives.

    Parameters
    ----------
    draft_logits, target_logits : array_like or path of a .npy file, shape (T, V) or (N, T, V)
        Of any real dtype; files are mapped into memory and read a few rows at a time. Where the vocabularies have
        different lengths, the shorter is padded by -inf, which no token is drawn with.
    tokens : int array_like or path of a .npy file, shape (T,) or (N, T)
        The texts' own tokens, -1 after a text's end. A text shorter than T is taken to have ended by itself.
    out : path, optional
        Where the trace is written. If the arrays are files, finished groups of rows are kept in a folder beside it
        until all are, so that the same call goes on where it was interrupted.
    settings : SamplingSettings, optional
        How the texts were sampled, by default at temperature 1 without filters.
    draft_temperatures : sequence of float, optional
        The draft is measured at each of these, by default at the temperature of the settings.
    num_drafts : int
        Agreement is measured for 1 to so many drafts; with 0 only rules of one draft can be priced.
    seed : int
        Root of the random streams of estimates.
    fresh : bool
        Remove what an interrupted capture has left, and begin anew.
    progress : callable
        Shows how far it is; nothing does by default.

    Raises
    ------
    InvalidInput
        If an argument cannot be used, arrays do not fit each other, a logit is NaN or a row -inf, a token is not in the
        vocabulary or has target probability 0, what was kept is of other settings, or the trace cannot be written.

    Examples
    --------
    >>> import numpy as np
    >>> from specproof.traces import capture_arrays
    >>> target = np.log([[0.5, 0.25, 0.25], [0.2, 0.3, 0.5]])
    >>> draft = np.log([[0.5, 0.5], [0.4, 0.6]])  # it does not know the third token
    >>> trace = capture_arrays(draft, target, [0, 2], num_drafts=2)
    >>> trace.table["overlap"].round(3).tolist()
    [0.75, 0.5]
    >>> trace.table["draft_logprob"].round(3).tolist()
    [-0.693, -inf]
    """
    measurement = make_measurement(settings, draft_temperatures, num_drafts, seed)
    source = open_source(draft_logits, target_logits, tokens)
    return _plan(source, measurement).run(None if out is None else Path(out), fresh=fresh, progress=progress)


def _plan(source: ArraySource, measurement: Measurement) -> Capture:
    blocks = [
        (text, first, min(first + ROWS, size))
        for text, size in enumerate(source.sizes)
        for first in range(0, size, ROWS)
    ]
    records = tuple(
        TextRecord(str(number), size, ended)
        for number, (size, ended) in enumerate(zip(source.sizes, source.ended, strict=True))
    )
    arrays = (source.draft, source.target, source.tokens)
    files = [_file(array) for array in arrays]
    models = ", ".join(array.name for array in arrays[:2])
    return Capture(
        measurement.header("arrays", models, source.vocabulary),
        tuple(f"text {text + 1} of {len(records)}, positions {first} to {last - 1}" for text, first, last in blocks),
        _Blocks(source, measurement, tuple(blocks)).measure,
        lambda _columns: records,
        None if None in files else {"files": files, **measurement.asked()},
    )


def _file(array: NamedArray) -> list[Any] | None:
    """Tell a file by its path, size and time; None if the array is not of a file."""
    if array.file is None:
        return None
    status = array.file.stat()
    return [str(array.file.resolve()), status.st_size, status.st_mtime_ns]


@dataclass(frozen=True)
class _Blocks:
    """Blocks of rows, none of which is of two texts."""

    source: ArraySource
    measurement: Measurement
    blocks: tuple[tuple[int, int, int], ...]
    """The text, first row and end of each."""

    def measure(self, number: int, progress: Progress) -> Columns:
        """Measure a block, a few rows at a time."""
        text, first, last = self.blocks[number]
        starts = range(first, last, TOGETHER)
        streams = self.measurement.streams(number, len(starts))
        tasks = [
            partial(self._rows, text, start, min(start + TOGETHER, last), rng)
            for start, rng in zip(starts, streams, strict=True)
        ]
        found = []
        for columns in in_threads(operator.call, tasks):
            found.append(columns)
            progress.advance(len(found) / len(starts))
        for array in (self.source.draft, self.source.target):
            let_go(array.values)
        return join(found)

    def _rows(self, text: int, first: int, last: int, rng: np.random.Generator) -> Columns:
        source, asked = self.source, self.measurement
        target = asked.settings.distribution(source.logits(source.target, text, first, last))
        source.refuse_impossible(text, first, target)
        logits = source.logits(source.draft, text, first, last)
        drafts = (asked.draft_settings(each).distribution(logits) for each in asked.draft_temperatures)
        tokens = source.tokens.values[text, first:last].astype(np.int64)
        measured = asked.measure(drafts, target, tokens, rng)
        times = len(asked.draft_temperatures)
        places = {"text": np.full(last - first, text), "position": np.arange(first, last)}
        return measured | {name: np.tile(each, times) for name, each in places.items()}
