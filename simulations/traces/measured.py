"""What calls cost on this machine: the measured clock of a pair as the costs of a plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from specproof.simulations.traces.configuration import Configuration
from specproof.simulations.traces.trace import Trace
from specproof.theory.errors import InvalidInput

if TYPE_CHECKING:
    from specproof.simulations.language_models.clock import Clock

ROWS, TOKENS = (1, 2, 4, 8), (1, 2, 3, 5, 9, 17, 33)
"""Calls of so many rows of so many tokens are measured; between them costs are interpolated."""


@dataclass(frozen=True)
class MeasuredCosts:
    """Costs by a measured clock: a pass over all sequences, and L draft steps of all of them side by side."""

    clock: Clock
    """Seconds of calls by rows and tokens."""

    def call(self, configuration: Configuration) -> float:
        """Give the cost of a call with its drafts, in calls of the target alone; a tree is scored as one row."""
        rows, tokens = (
            (1, configuration.scored) if configuration.widths else (configuration.rows, configuration.length + 1)
        )
        spent = self.clock.target(rows, tokens) + configuration.length * self.clock.draft(configuration.rows)
        return spent / self.clock.target(1, 1)


def measured_costs(trace: Trace, device: str) -> MeasuredCosts:
    """Measure the pair that a trace was captured from.

    Raises
    ------
    InvalidInput
        If the trace is not of a pair, or the pair cannot be loaded.
    """
    if trace.header.source != "pair":
        raise InvalidInput(f"the trace is of {trace.header.models}, whose models are not here to measure: give --cost")
    from specproof.simulations.language_models.clock import measure_clock
    from specproof.simulations.language_models.pairs import load_pair

    return MeasuredCosts(measure_clock(load_pair(trace.header.models, device), ROWS, TOKENS))
