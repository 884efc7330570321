"""Every name that :mod:`specproof.figures` hands out, imported."""

from specproof.figures.figure_spec import FigureSpec
from specproof.figures.own_data import draw_lines
from specproof.figures.style import by_rule, intervals, legend_below, new_figure, styled

__all__ = ["FigureSpec", "by_rule", "draw_lines", "intervals", "legend_below", "new_figure", "styled"]
