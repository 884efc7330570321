"""All figures, in the order they are listed; each module holds its own specification."""

from __future__ import annotations

from specproof.figures import (
    acceptance,
    batch,
    block_efficiency,
    block_efficiency_map,
    block_efficiency_real,
    families,
    improvement,
    judge,
    loss_against_tv,
    opt_uno,
    pareto,
    priority_coupling,
    real_trees,
    rejections,
    relaxation,
    share_of_optimum,
    transport_plan,
    worst_share,
)
from specproof.figures.figure_spec import FigureSpec

FIGURES: tuple[FigureSpec, ...] = (
    rejections.SPEC,
    batch.SPEC,
    improvement.SPEC,
    pareto.SPEC,
    opt_uno.SPEC,
    worst_share.SPEC,
    families.SPEC,
    priority_coupling.SPEC,
    share_of_optimum.SPEC,
    loss_against_tv.SPEC,
    transport_plan.SPEC,
    block_efficiency.SPEC,
    block_efficiency_map.SPEC,
    acceptance.SPEC,
    block_efficiency_real.SPEC,
    judge.SPEC,
    real_trees.SPEC,
    relaxation.SPEC,
)
