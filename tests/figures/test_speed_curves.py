"""The figure of a plan: its right panel is drawn at the costs that the plan was made for, and says which."""

from __future__ import annotations

import example_pages
import pytest

from specproof.figures.speed_curves import draw_plan
from specproof.figures.style import styled
from specproof.traces import Configuration, CostRatio, make_plan


class CallsAreDear:
    """A clock that follows no c."""

    def call(self, configuration: Configuration) -> float:
        return 1.0 + 0.5 * configuration.length**2


@pytest.mark.parametrize(
    ("costs", "told"), [(CostRatio(0.03), "c = 0.03"), (CostRatio(4.0), "c = 4"), (CallsAreDear(), "as measured")]
)
def test_the_right_panel_is_drawn_at_the_costs_of_the_plan(costs: CostRatio | CallsAreDear, told: str) -> None:
    _, made = example_pages.planned()
    plan = make_plan(made.prices, costs)
    with styled():
        left, right = draw_plan(plan).axes
    assert right.get_title(loc="left").endswith(told)
    labels = [line.get_label() for line in left.lines if not str(line.get_label()).startswith("_")]
    for label, line in zip(labels, right.lines[:-1], strict=True):
        rows = [row for row in plan.rows if row.configuration.label == label]
        for length, speed in zip(*line.get_data(), strict=True):
            assert speed == max(row.speed.estimate for row in rows if row.configuration.length == length)
    marked = [line.get_xdata()[0] for line in left.lines if line.get_linestyle() == "--"]
    assert marked == ([0.03] if told == "c = 0.03" else [])
