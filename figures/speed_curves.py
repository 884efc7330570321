"""Speed against the cost of a draft step, for the configurations of a plan."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from specproof.figures.style import BLACK, PAGE, new_figure, styled
from specproof.simulations.experiments.whole_files import require_writable_file, whole_file
from specproof.simulations.traces.planning import CostRatio
from specproof.theory.errors import InvalidInput

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from specproof.simulations.traces.planning import Plan

KINDS = (".png", ".svg", ".pdf")
_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#000000", "#999999")


def draw(curves: pd.DataFrame, configurations: pd.DataFrame, clock: str, cost: float | None = None) -> Figure:
    """Draw the curves of a plan.

    On the left is, for each rule, the best speed over its sizes against c; on the right the speed of each rule against
    the length at the costs that the plan was made for, again at its best number of drafts.

    Parameters
    ----------
    curves : pandas.DataFrame
        Speed against c, as :meth:`specproof.traces.Plan.curves` tabulates it.
    configurations : pandas.DataFrame
        Speed at the costs of the plan, as :meth:`specproof.traces.Plan.table` tabulates it.
    clock : str
        What these costs are, in a few words.
    cost : float, optional
        The c that was asked for, marked on the left.
    """
    figure = new_figure(PAGE, 4.4)
    left, right = figure.subplots(1, 2)
    best = curves.groupby(["label", "cost"])["speed"].max().unstack("label")
    order = best.iloc[0].sort_values(ascending=False).index
    lengths = configurations.groupby(["label", "length"])["speed"].max().unstack("label")
    for index, label in enumerate(order):
        look = {"color": _COLOURS[index % len(_COLOURS)], "linestyle": "-" if index < len(_COLOURS) else "--"}
        left.plot(best.index, best[label], label=label, **look)
        along = lengths[label].dropna()
        right.plot(along.index, along, marker="o", markersize=4, **look)
    for axes in (left, right):
        axes.axhline(1.0, color=BLACK, linestyle=":", linewidth=1.2)
        axes.set_ylabel("speed over the target alone")
    if cost is not None and cost <= best.index.max():
        left.axvline(cost, color="#4c4c4c", linestyle="--", linewidth=1.0)
    left.set_xlabel("c, a draft step over a call of the target")
    left.set_title("Each rule at its best size")
    right.set_xlabel("tokens drafted in a call L")
    right.set_title(f"Each rule by length, {clock}")
    figure.legend(loc="outside lower center", ncols=3)
    return figure


def draw_plan(plan: Plan) -> Figure:
    """Draw the curves of a plan at its own costs."""
    cost = plan.costs.cost if isinstance(plan.costs, CostRatio) else None
    return draw(plan.curves(), plan.table(), "as measured" if cost is None else f"c = {cost:g}", cost)


def save(plan: Plan, path: Path) -> None:
    """Draw the curves of a plan into a file, whole or not at all.

    Raises
    ------
    InvalidInput
        If the file is of another kind than PNG, SVG or PDF, or cannot be written.
    """
    require_figure_file(path)
    with styled(), whole_file(path) as temporary:
        draw_plan(plan).savefig(temporary, format=path.suffix[1:])


def require_figure_file(path: Path) -> None:
    """Try whether a figure can be written into a file, before work depends on it.

    Raises
    ------
    InvalidInput
        If the file is of another kind than PNG, SVG or PDF, or cannot be written.
    """
    if path.suffix not in KINDS:
        raise InvalidInput(f"figure is {str(path)!r}: name a file that ends in {', '.join(KINDS)}")
    require_writable_file(path)
