"""A plan: which configuration is fastest at a given price of drafts and calls, and what the text cannot tell apart.

Speeds are compared with intervals that hold all at once, see :mod:`specproof.simulations.traces.simultaneous`: the
fastest is chosen on the same text, and so is the fastest of one draft.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from specproof.simulations.traces.configuration import ONE_DRAFT, Configuration
from specproof.simulations.traces.pricing import Interval, Prices
from specproof.simulations.traces.simultaneous import simultaneous
from specproof.theory.display import html_table, shown
from specproof.theory.errors import InvalidInput
from specproof.theory.numbers import finite_number

if TYPE_CHECKING:
    import pandas as pd

CURVE_COSTS = (0.0, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0)
"""The curves of speed against c have these points."""


class Costs(Protocol):
    """What a call costs, drafting included."""

    def call(self, configuration: Configuration) -> float:
        """Give the cost of one call, in units of a call of the target alone for one token."""


@dataclass(frozen=True)
class CostRatio:
    """The textbook's clock: a draft step costs c calls of the target, whatever is drafted or scored side by side.

    Attributes
    ----------
    cost : float
        c, the time of a draft step over that of a call of the target.

    Examples
    --------
    >>> from specproof.traces import Configuration, CostRatio
    >>> CostRatio(0.1).call(Configuration("single", length=5))
    1.5
    """

    cost: float

    def __post_init__(self) -> None:
        if finite_number(self.cost, "cost") < 0:
            raise InvalidInput(f"cost is {shown(self.cost)}: it must be at least 0, draft time over target time")

    def call(self, configuration: Configuration) -> float:
        """Give 1 + c L."""
        return 1.0 + self.cost * configuration.length


@dataclass(frozen=True)
class PlannedRow:
    """One configuration of a plan.

    Examples
    --------
    >>> from specproof.traces import Configuration, Interval, PlannedRow
    >>> speed, one = Interval(1.2, 1.1, 1.3), Interval(1.0, 1.0, 1.0)
    >>> row = PlannedRow(Configuration("block"), Interval(1.68, 1.54, 1.82), 1.4, speed, one, Interval(0.8, 0.7, 0.9))
    >>> row.is_slower, row.text_needed
    (True, 1.0)
    """

    configuration: Configuration
    """How to draft and to verify."""
    tokens_per_call: Interval
    """The expected tokens of a call of the target."""
    cost: float
    """The mean cost of a call with its drafts, in calls of the target alone."""
    speed: Interval
    """Speed over the target alone: tokens per call over cost. These three hold for all configurations at once."""
    over_one_draft: Interval
    """Speed over the fastest configuration of one draft, token by token; NaN if there is none."""
    over_best: Interval
    """Speed over the fastest configuration, paired on the same text."""

    @property
    def is_slower(self) -> bool:
        """Whether the text shows that the configuration is slower than the fastest."""
        return self.over_best.high < 1.0

    @property
    def text_needed(self) -> float:
        """How many times as much text would tell it from the fastest, if the ratio is what it seems."""
        gap = 1.0 - self.over_best.estimate
        return float("inf") if gap <= 0.0 else max((self.over_best.half_width / gap) ** 2, 1.0)


@dataclass(frozen=True, eq=False)
class Plan:
    """Configurations by predicted speed, the fastest first.

    Attributes
    ----------
    rows : tuple of PlannedRow
        The fastest is the first.
    costs : Costs
        Calls cost this.
    prices : Prices
        The plan was made of these.
    critical : float
        Intervals of speeds are so many standard errors wide to either side, so that all hold at once; NaN where there
        are none.

    Examples
    --------
    >>> from specproof.traces import Configuration, CostRatio, Prices, make_plan
    >>> asked = Configuration("single", length=1), Configuration("block", length=2)
    >>> prices = Prices(asked, ("a", "b"), tokens=np.array([[6.0, 8.0], [8.0, 9.0]]), calls=np.full((2, 2), 4.0))
    >>> plan = make_plan(prices, CostRatio(0.5))
    >>> plan.pays, [row.configuration.rule for row in plan.rows]
    (True, ['single', 'block'])
    """

    rows: tuple[PlannedRow, ...]
    costs: Costs
    prices: Prices
    critical: float

    @property
    def pays(self) -> bool:
        """Whether the fastest configuration is predicted to be faster than the target alone."""
        return self.rows[0].speed.estimate > 1.0

    @property
    def unresolved(self) -> tuple[PlannedRow, ...]:
        """The configurations that this text cannot tell from the fastest."""
        return tuple(row for row in self.rows[1:] if not row.is_slower)

    def recommendation(self) -> str:
        """Say in sentences what to run, what that rests on, and what this amount of text leaves open."""
        best = self.rows[0]
        if not self.pays:
            return (
                f"Decode by the target alone: the fastest configuration, {_name(best)}, is predicted to run at "
                f"{best.speed.estimate:.2f} times its speed."
            )
        words = [f"Run {_name(best)}: predicted {_times(best.speed)} as fast as the target alone."]
        if not np.isnan(best.speed.low) and best.speed.low <= 1.0:
            words.append("The interval does not exclude that the target alone is as fast.")
        open_rows = self.unresolved
        if open_rows:
            simplest = min(open_rows, key=lambda row: row.configuration.scored)
            others = len(open_rows) - 1
            told = f"{_name(best)} and {_name(simplest)} do not differ at this amount of text"
            more = simplest.text_needed
            told = told[0].upper() + told[1:]
            words.append(f"{told}; {more:.1f} times as much would tell." if np.isfinite(more) else f"{told}.")
            words.append(f"Nor do {others} other configurations." if others > 1 else "Nor does one other." * others)
        elif len(self.rows) > 1:
            words.append("Every other configuration is shown to be slower.")
        return " ".join(filter(None, words))

    def _repr_html_(self) -> str:
        headings = ("rule", "drafts", "tokens per call", "speed over the target", "over the fastest")
        rows = (
            (
                *(row.configuration.label, row.configuration.shape),
                *(_interval(each) for each in (row.tokens_per_call, row.speed, row.over_best)),
            )
            for row in self.rows
        )
        return html_table(self.recommendation(), headings, rows)

    def table(self) -> pd.DataFrame:
        """Tabulate the plan, one row a configuration."""
        import pandas as pd

        return pd.DataFrame([_record(row) for row in self.rows])

    def curves(self, costs: Iterable[float] = CURVE_COSTS) -> pd.DataFrame:
        """Tabulate speed over the target alone against c, for every configuration, by the textbook's clock."""
        import pandas as pd

        means = {cost: _mean_costs(self.prices, CostRatio(cost)) for cost in costs}
        records = [
            {
                "label": row.configuration.label,
                "shape": row.configuration.shape,
                "num_drafts": row.configuration.rows,
                "length": row.configuration.length,
                "cost": cost,
                "speed": row.tokens_per_call.estimate / mean[self.prices.index_of(row.configuration)],
            }
            for row in self.rows
            for cost, mean in means.items()
        ]
        return pd.DataFrame(records)


def make_plan(prices: Prices, costs: Costs) -> Plan:
    """Order configurations by predicted speed.

    Parameters
    ----------
    prices : Prices
        Tokens per call, from a trace.
    costs : Costs
        The clock: :class:`CostRatio`, or what was measured.

    Examples
    --------
    >>> from specproof.traces import Configuration, CostRatio, Prices, make_plan
    >>> asked = Configuration("single", length=1), Configuration("block", length=2)
    >>> prices = Prices(asked, ("a", "b"), tokens=np.array([[6.0, 8.0], [8.0, 9.0]]), calls=np.full((2, 2), 4.0))
    >>> [round(row.speed.estimate, 3) for row in make_plan(prices, CostRatio(0.1)).rows]
    [1.774, 1.607]
    """
    per_call = [costs.call(each) for each in prices.configurations]
    means = _mean_costs(prices, costs)
    alone = len(per_call)
    # The logarithm of the speed of the target alone is 0, and takes part in the comparison.
    logs = np.vstack([prices.log_values(per_call), np.zeros(len(prices.prompts))])
    compared = simultaneous(logs)
    speeds = [compared.ratio(index, alone) for index in range(alone)]
    order = sorted(range(alone), key=lambda index: -speeds[index].estimate)
    ones = [index for index in order if prices.configurations[index].rule == ONE_DRAFT]
    rows = [
        PlannedRow(
            prices.configurations[index],
            prices.tokens_per_call(index),
            means[index],
            speeds[index],
            compared.ratio(index, ones[0]) if ones else Interval(np.nan, np.nan, np.nan),
            compared.ratio(index, order[0]),
        )
        for index in order
    ]
    return Plan(tuple(rows), costs, prices, compared.critical)


def _mean_costs(prices: Prices, costs: Costs) -> list[float]:
    """Give the mean cost of the calls of each configuration, those that draft nothing among them."""
    spent = prices.spent([costs.call(each) for each in prices.configurations])
    means: list[float] = (spent.sum(axis=1) / prices.calls.sum(axis=1)).tolist()
    return means


def _name(row: PlannedRow) -> str:
    return f"{row.configuration.label} with {row.configuration.shape}"


def _times(interval: Interval) -> str:
    if np.isnan(interval.low):
        return f"{interval.estimate:.2f} times"
    return f"{interval.estimate:.2f} [{interval.low:.2f}, {interval.high:.2f}] times"


def _interval(interval: Interval) -> str:
    ends = "" if np.isnan(interval.low) else f" [{interval.low:.3f}, {interval.high:.3f}]"
    return "–" if np.isnan(interval.estimate) else f"{interval.estimate:.3f}{ends}"


def _record(row: PlannedRow) -> dict[str, object]:
    asked = row.configuration
    found: dict[str, object] = {
        "rule": asked.rule,
        "label": asked.label,
        "shape": asked.shape,
        "num_drafts": asked.rows,
        "length": asked.length,
        "widths": list(asked.widths),
        "places": [list(place) for place in asked.places],
        "draft_temperature": asked.draft_temperature,
        "cost": row.cost,
    }
    for name in ("tokens_per_call", "speed", "over_one_draft", "over_best"):
        interval: Interval = getattr(row, name)
        found |= {name: interval.estimate, f"{name}_low": interval.low, f"{name}_high": interval.high}
    return found | {"slower": row.is_slower, "text_needed": row.text_needed}
