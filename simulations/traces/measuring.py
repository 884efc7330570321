"""What is measured at every position of a capture, and how: settings, draft temperatures, numbers of drafts, seed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from specproof import __version__
from specproof.simulations.experiments.store import source_fingerprint
from specproof.simulations.traces.parts import Columns, join
from specproof.simulations.traces.position_columns import columns, traced_verifiers
from specproof.simulations.traces.trace_header import TraceHeader
from specproof.theory.distribution import Array
from specproof.theory.integers import natural_number
from specproof.theory.numbers import positive_number
from specproof.theory.sampling_settings import SamplingSettings


@dataclass(frozen=True)
class Measurement:
    """How full distributions become the columns of a trace.

    Raises
    ------
    InvalidInput
        If a temperature is not a positive number, or the number of drafts or the seed not an integer >= 0.
    """

    settings: SamplingSettings
    """How the text was sampled from the target, and what the draft's logits go through but for their temperature."""
    draft_temperatures: tuple[float, ...]
    """The draft is measured at each of these."""
    num_drafts: int
    """Agreement is measured for 1 to so many drafts; 0 for none."""
    seed: int
    """Root of every random stream."""
    verifiers: tuple[str, ...]
    """The verifiers whose agreement is measured."""

    def __post_init__(self) -> None:
        natural_number(self.num_drafts, "num_drafts")
        natural_number(self.seed, "seed")
        for temperature in self.draft_temperatures:
            positive_number(temperature, "draft_temperature")

    def streams(self, group: int, count: int) -> list[np.random.Generator]:
        """Make the random streams of a group, the same in whatever order groups are measured."""
        children = np.random.SeedSequence(self.seed, spawn_key=(group,)).spawn(count)
        return [np.random.default_rng(child) for child in children]

    def draft_settings(self, temperature: float) -> SamplingSettings:
        """Give the settings of the draft at one of its temperatures."""
        return replace(self.settings, temperature=temperature)

    def measure(
        self, drafts: Iterable[Array], target: Array, tokens: NDArray[np.int64], rng: np.random.Generator
    ) -> Columns:
        """Measure n positions, each once for every draft temperature.

        Parameters
        ----------
        drafts : iterable of arrays of shape (n, V)
            The draft's distributions, one array a temperature. They are taken one after the other, so that a generator
            need not have more than one at a time.
        target : array, shape (n, V)
        tokens : int array, shape (n,)
        rng : numpy Generator
        """
        found = []
        for temperature, draft in zip(self.draft_temperatures, drafts, strict=True):
            measured = columns(draft, target, tokens, self.num_drafts, rng, self.verifiers)
            found.append({**measured, "token": tokens, "draft_temperature": np.full(len(tokens), temperature)})
        return join(found)

    def header(self, source: str, models: str, vocabulary: int) -> TraceHeader:
        """Make the header of a trace whose texts are not known yet."""
        return TraceHeader(
            source,
            models,
            (),
            settings=self.settings,
            draft_temperatures=self.draft_temperatures,
            vocabulary=vocabulary,
            num_drafts=self.num_drafts,
            verifiers=self.verifiers,
            seed=self.seed,
            version=__version__,
        )

    def asked(self) -> dict[str, Any]:
        """Tell in JSON values what the columns depend on, models and text aside."""
        return {**asdict(self), "version": __version__, "code": source_fingerprint()[:16]}


def make_measurement(
    settings: SamplingSettings | None,
    draft_temperatures: Sequence[float] | None,
    num_drafts: int,
    seed: int,
    verifiers: Sequence[str] | None = None,
) -> Measurement:
    """Put a measurement together.

    The draft's temperature is by default that of the settings, and the verifiers are by default
    :func:`~specproof.simulations.traces.position_columns.traced_verifiers`; without drafts there are none.
    """
    chosen = SamplingSettings() if settings is None else settings
    temperatures = draft_temperatures or (chosen.temperature,)
    names = traced_verifiers() if verifiers is None else tuple(verifiers)
    return Measurement(chosen, tuple(dict.fromkeys(temperatures)), num_drafts, seed, names if num_drafts else ())
