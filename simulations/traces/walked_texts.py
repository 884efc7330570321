"""Columns and texts of a trace from both models' distributions, as a walk along texts gives them position by position.

The walk may sample its texts from the target, or follow texts that are there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from specproof.simulations.traces.measuring import Measurement
from specproof.simulations.traces.parts import Columns, Progress, Silence, in_order, join
from specproof.simulations.traces.trace import Trace, pack
from specproof.simulations.traces.trace_header import TextRecord

if TYPE_CHECKING:
    from specproof.simulations.language_models.model_pair import ModelPair
    from specproof.simulations.language_models.walking import Step


def pairs_of(models: ModelPair, measurement: Measurement) -> list[ModelPair]:
    """Give the pair under the settings of a measurement, once for each temperature of the draft."""
    return [models.with_settings(measurement.settings, each) for each in measurement.draft_temperatures]


def measure_steps(
    steps: Iterable[Step],
    pairs: Sequence[ModelPair],
    measurement: Measurement,
    rng: np.random.Generator,
    *,
    first: int = 0,
    progress: Progress | None = None,
    positions: int = 1,
) -> Columns:
    """Measure each position of a group of texts as soon as the walk is there, so that few are in memory.

    Parameters
    ----------
    steps : iterable of Step
        A walk of the first pair.
    pairs : sequence of ModelPair
        As :func:`pairs_of` gives them.
    measurement : Measurement
    rng : numpy Generator
        Draws the histories of distinct drafts.
    first : int
        The number of the group's first text.
    progress : Progress, optional
        Hears what share of ``positions`` is done.

    Returns
    -------
    dict
        The columns of a trace in the order in which they were measured.
    """
    shown, found = progress or Silence(), []
    for step in steps:
        rows = np.flatnonzero(step.active)
        others = (each.draft.law(step.draft_logits) for each in pairs[1:])
        drafts = (_rows(each, rows) for each in chain((step.draft,), others))
        measured = measurement.measure(drafts, _rows(step.target, rows), step.tokens[rows], rng)
        places = {"text": first + rows, "position": np.full(rows.size, step.position)}
        shown.advance((step.position + 1) / positions)
        found.append(measured | {name: np.tile(each, len(pairs)) for name, each in places.items()})
    return join(found)


def text_records(columns: Columns, names: Sequence[str], eos_ids: Sequence[int]) -> tuple[TextRecord, ...]:
    """Tell of each text how long it became, and whether the target ended it.

    Parameters
    ----------
    columns : dict
        Those of all texts, sorted by text and draft temperature.
    names : sequence of str
        The texts' names, in the order of their numbers.
    eos_ids : sequence of int
        The tokens that end a text.
    """
    at_first = columns["draft_temperature"] == columns["draft_temperature"].min()
    numbers, tokens = columns["text"][at_first], columns["token"][at_first]
    lasts = np.searchsorted(numbers, np.arange(len(names)), side="right") - 1
    sizes, ends = np.bincount(numbers), np.isin(tokens[lasts], eos_ids)
    return tuple(TextRecord(*each) for each in zip(names, sizes.tolist(), ends.tolist(), strict=True))


def trace_of_steps(
    steps: Iterable[Step], models: ModelPair, names: Sequence[str], measurement: Measurement, rng: np.random.Generator
) -> Trace:
    """Make a trace of one walk of a pair that is under the settings of the measurement.

    Examples
    --------
    >>> from specproof.simulations.language_models.pairs import load_pair
    >>> from specproof.simulations.language_models.walking import walk_target
    >>> from specproof.simulations.traces.measuring import make_measurement
    >>> models, rng = load_pair("rtn:4"), np.random.default_rng(0)  # doctest: +SKIP
    >>> steps = walk_target(models, [[1, 2]], 8, rng)  # doctest: +SKIP
    >>> trace_of_steps(steps, models, ["a"], make_measurement(None, None, 2, 0), rng)  # doctest: +SKIP
    Trace(rtn:4: 8 positions of 1 texts)
    """
    columns = in_order(measure_steps(steps, pairs_of(models, measurement), measurement, rng))
    header = measurement.header("pair", models.name, models.target.vocabulary)
    return pack(replace(header, texts=text_records(columns, names, models.target.eos_ids)), columns)


def _rows(laws: Any, rows: np.ndarray) -> np.ndarray:
    """Bring some rows of a tensor to the host."""
    host: np.ndarray = laws.cpu().numpy()
    return host if len(rows) == len(host) else host[rows]
