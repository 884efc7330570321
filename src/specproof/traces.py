"""Prices of every rule from text of the target: traces, tokens per call, and plans.

A *trace* is text that was sampled from the target, with what both models say along it. From it alone follow, exactly
given the text and paired between rules, the acceptance of every rule, its tokens per call, and its speed where a draft
step costs c calls of the target. ``specproof capture`` makes a trace, ``specproof plan`` reads one; from Python:

.. code-block:: python

    from specproof.traces import CostRatio, Trace, asked_configurations, make_plan, price

    trace = Trace.read("trace.parquet")
    prices = price(trace, asked_configurations(trace, num_drafts=[2, 4], lengths=[2, 4, 8]))
    print(prices.table())
    print(make_plan(prices, CostRatio(0.1)).recommendation())
"""

from specproof.simulations.traces.ask import asked_configurations, available_rules
from specproof.simulations.traces.capture_arrays import capture_arrays
from specproof.simulations.traces.capture_logprobs import capture_logprobs
from specproof.simulations.traces.capture_pair import capture_pair
from specproof.simulations.traces.configuration import Configuration, reach_weights
from specproof.simulations.traces.planning import CostRatio, Plan, PlannedRow, make_plan
from specproof.simulations.traces.pricing import Interval, Prices, price
from specproof.simulations.traces.trace import Trace
from specproof.simulations.traces.trace_header import TextRecord, TraceHeader
from specproof.simulations.traces.tree_design import best_shape, best_widths

__all__ = [
    "Configuration",
    "CostRatio",
    "Interval",
    "Plan",
    "PlannedRow",
    "Prices",
    "TextRecord",
    "Trace",
    "TraceHeader",
    "asked_configurations",
    "available_rules",
    "best_shape",
    "best_widths",
    "capture_arrays",
    "capture_logprobs",
    "capture_pair",
    "make_plan",
    "price",
    "reach_weights",
]
