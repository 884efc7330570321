"""What calls cost on this machine: the measured clock of a pair as the costs of a plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from specproof.simulations.traces.configuration import DISTINCT, Configuration
from specproof.simulations.traces.trace import DRAFTED, Trace
from specproof.theory.errors import InvalidInput

if TYPE_CHECKING:
    from specproof.simulations.language_models.clock import Clock

ROWS, TOKENS = (1, 2, 4, 8), (1, 2, 3, 5, 9, 17, 33)
"""Calls of so many rows of so many tokens are measured; between them costs are interpolated."""

MEASURED_AS = {DISTINCT: "recursive"}
"""The rules whose tests are taken for those of a verifier, which does much the same."""


@dataclass(frozen=True)
class MeasuredCosts:
    """Costs by a measured clock: a pass over all sequences, L draft steps of all side by side, and the rule's tests."""

    clock: Clock
    """Seconds of calls by rows and tokens."""

    def call(self, configuration: Configuration) -> float:
        """Give the cost of a call with its drafts, in calls of the target alone; a tree is scored as one row."""
        rows, length = configuration.rows, configuration.length
        spent = self.clock.seconds(rows, length, MEASURED_AS.get(configuration.rule, configuration.rule))
        if configuration.is_tree:
            spent += self.clock.target(1, configuration.scored) - self.clock.target(rows, length + 1)
        return spent / self.clock.seconds(1, 0)


def measured_costs(trace: Trace, device: str) -> MeasuredCosts:
    """Measure the pair that a trace was captured from, with the fastest products of this machine.

    Raises
    ------
    InvalidInput
        If the trace is not of a pair, or the pair cannot be loaded.
    """
    if trace.header.source != "pair":
        raise InvalidInput(f"the trace is of {trace.header.models}, whose models are not here to measure: give --cost")
    from specproof.simulations.language_models.clock import measure_clock
    from specproof.simulations.language_models.few_rows import with_fast_products
    from specproof.simulations.language_models.pairs import load_pair

    pair = with_fast_products(load_pair(trace.header.models, device))
    rows = ROWS[:1] if DRAFTED in trace.table else ROWS  # looked-up drafts are one sequence
    return MeasuredCosts(measure_clock(pair, rows, TOKENS, verifiers=trace.header.verifiers))
