"""What a rule is called in every figure and how it is drawn, registered beside its mathematics."""

from __future__ import annotations

from typing import NamedTuple

from specproof.theory.registry import Registry


class Look(NamedTuple):
    """How figures and tables show a rule."""

    label: str
    """The text for axes, legends and tables."""
    colour: str
    """A colour as Matplotlib reads it; ours are of the palette of Okabe and Ito (2008)."""
    marker: str
    """A marker as Matplotlib reads it."""


LOOKS: Registry[Look] = Registry("look")
"""The look of every verifier and of the optima, by name."""


def register_look(name: str, look: Look) -> None:
    """Say how a rule is drawn that is no verifier, such as an optimum; a verifier brings its look with it.

    Raises
    ------
    InvalidInput
        If the name is not a text or is empty, or has another look already.

    Examples
    --------
    >>> from specproof.theory.verifiers import LOOKS
    >>> LOOKS["kseq"].label
    'K-SEQ'
    """
    LOOKS.add(name, look)
