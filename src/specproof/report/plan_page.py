"""The page of a plan: what to run, how fast everything is, and what this amount of text leaves open."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

from specproof.figures.speed_curves import draw_plan
from specproof.figures.style import as_svg, styled
from specproof.report.data_table import data_table
from specproof.report.inline_svg import inline_svg
from specproof.report.page import render
from specproof.simulations.traces.planning import CostRatio, Plan
from specproof.simulations.traces.pricing import LEVEL

if TYPE_CHECKING:
    from specproof.simulations.traces.planning import PlannedRow
    from specproof.simulations.traces.pricing import Interval
    from specproof.simulations.traces.trace_header import TraceHeader

INTERVALS = {
    "tokens_per_call": "tokens per call",
    "speed": "speed over the target",
    "over_one_draft": "over one draft",
    "over_best": "over the fastest",
}
"""The intervals of a planned row, with the headings of their columns."""


def plan_page(plan: Plan, header: TraceHeader, command: Sequence[str]) -> str:
    """Write the page of a plan.

    Parameters
    ----------
    plan : Plan
    header : TraceHeader
        It says where the trace comes from.
    command : sequence of str
        The words of the command that made the plan.
    """
    curves = plan.curves()
    with styled():
        drawing = inline_svg(as_svg(draw_plan(plan)), "speed", "Speed over the target alone against c, and against L.")
    return render(
        "plan",
        plan=plan,
        state=_state(plan),
        header=header,
        tokens=sum(text.tokens for text in header.texts),
        drawing=drawing,
        curves=data_table("Speed over the target alone by the textbook's clock.", curves),
        headings=INTERVALS,
        standing=standing,
        interval=interval_in_words,
        clock=_clock(plan),
        measured=not isinstance(plan.costs, CostRatio),
        level=LEVEL,
        command=shlex.join(command),
    )


def _state(plan: Plan) -> str:
    """Say how the plan looks: whether it pays, and whether the interval is above 1."""
    if not plan.pays:
        return "bad"
    return "good" if plan.rows[0].speed.low > 1.0 else "open"


def standing(plan: Plan, row: PlannedRow) -> tuple[str, str]:
    """Say how a configuration stands to the fastest, as the state and the words of a badge."""
    if row is plan.rows[0]:
        return "good", "fastest"
    return ("bad", "slower") if row.is_slower else ("open", "not told apart")


def interval_in_words(interval: Interval) -> str:
    """Write an estimate with its interval, or a dash where there is none.

    Examples
    --------
    >>> from specproof.traces import Interval
    >>> nan = float("nan")
    >>> [interval_in_words(Interval(*ends)) for ends in ((1.5, 1.25, 1.75), (1.5, nan, nan), (nan, nan, nan))]
    ['1.500 [1.250, 1.750]', '1.500', '–']
    """
    if interval.estimate != interval.estimate:
        return "–"
    ends = f" [{interval.low:.3f}, {interval.high:.3f}]" if interval.low == interval.low else ""
    return f"{interval.estimate:.3f}{ends}"


def _clock(plan: Plan) -> str:
    if isinstance(plan.costs, CostRatio):
        return f"A draft step costs c = {plan.costs.cost:g} calls of the target, so that a call costs 1 + c L."
    return "The cost of a call with its drafts was measured on the machine that made the plan, and is in the table."
