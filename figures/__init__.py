"""Figures: each draws what an evidence table says and computes nothing.

A module below holds one figure of ours, as a function of tables. :func:`draw_lines` draws a person's own table in the
same style, and the other names are what a figure of one's own is made with. A name is loaded when it is asked for.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from specproof.figures.public import *  # noqa: F403
else:
    from specproof.lazy import exports

    __getattr__, __dir__ = exports(__name__, "specproof.figures.public")
