"""Results and arguments on one line, however large they are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from fractions import Fraction
from html import escape
from typing import Any

import numpy as np

MOST_ENTRIES = 8
"""Arrays and tuples of more entries are shown by their size."""

LONGEST = 100
"""Error messages cut the text of an argument after this many characters."""


LONGEST_INTEGER = 128
"""Integers of more bits are shown by their size."""


def shown(value: Any) -> str:
    """An argument as an error message quotes it: its ``repr`` on one line, cut where it is long.

    Examples
    --------
    >>> shown("greedy"), shown(10**400)
    ("'greedy'", '<integer of 1329 bits>')
    """
    large = isinstance(value, np.ndarray) and value.size > MOST_ENTRIES
    text = _brief(value) if large or isinstance(value, int) else repr(value)
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 3]}..."


def one_line(record: Any, *names: str) -> str:
    """A ``__repr__``: the named attributes, or all fields of a dataclass, in digits where these are few."""
    shown = names or tuple(field.name for field in fields(record))
    return f"{type(record).__name__}({', '.join(f'{name}={_brief(getattr(record, name))}' for name in shown)})"


def html_record(record: Any, *names: str) -> str:
    """A ``_repr_html_``, which notebooks show: the same attributes as in :func:`one_line`, a row each.

    Examples
    --------
    >>> from specproof import maximal_coupling
    >>> law = maximal_coupling([0.5, 0.5], [0.25, 0.75])
    >>> '<th scope="row">accepted</th>' in law._repr_html_()
    True
    """
    shown = names or tuple(field.name for field in fields(record))
    rows = [(name, _brief(getattr(record, name))) for name in shown]
    return html_table(type(record).__name__, ("attribute", "value"), rows)


def html_table(caption: str, headings: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Write a small table as HTML, all texts escaped.

    Examples
    --------
    >>> html_table("a < b", ("a",), [(1,)]).partition("<tbody>")[2]
    '<tr><th scope="row">1</th></tr></tbody></table>'
    """
    head = "".join(f'<th scope="col">{escape(heading)}</th>' for heading in headings)
    body = "".join(f"<tr>{_html_cells(row)}</tr>" for row in rows)
    return f"<table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _html_cells(row: Sequence[object]) -> str:
    first, *others = (escape(str(value)) for value in row)
    return f'<th scope="row">{first}</th>' + "".join(f"<td>{value}</td>" for value in others)


def _brief(value: Any) -> str:
    if shape := getattr(value, "shape", ()):
        small = isinstance(value, np.ndarray) and value.size <= MOST_ENTRIES
        return str(value.tolist()) if small else f"<{value.dtype} of shape {shape}>"
    if isinstance(value, tuple):
        few = len(value) <= MOST_ENTRIES
        return f"({', '.join(map(_brief, value))})" if few else f"<{len(value)} entries>"
    if isinstance(value, Fraction):
        return str(float(value))
    if isinstance(value, int) and value.bit_length() > LONGEST_INTEGER:
        return f"<integer of {value.bit_length()} bits>"
    return str(value)
