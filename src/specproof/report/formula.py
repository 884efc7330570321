"""LaTeX as MathML, which a browser shows without fetching anything."""

from __future__ import annotations

from functools import cache
from xml.etree import ElementTree

from latex2mathml.converter import convert
from markupsafe import Markup, escape

_NAMESPACE = "{http://www.w3.org/1998/Math/MathML}"
_PARTS = ("frac", "i", "n", "o", "over", "row", "space", "sqrt", "style", "sub", "subsup", "sup", "table", "td", "text")
_ELEMENTS = frozenset(("math", *(f"m{part}" for part in (*_PARTS, "padded", "root", "tr", "under", "underover"))))
_ATTRIBUTES_LEFT_OUT = frozenset(("href", "style", "class", "id"))


@cache
def mathml(latex: str, display: str = "block") -> Markup:
    r"""Turn a formula into MathML; one that cannot be read is shown as it is written.

    Parameters
    ----------
    latex : str
        A formula without dollar signs, which may be anybody's: what is no mathematics does not get through.
    display : {"block", "inline"}

    Examples
    --------
    >>> mathml(r"\alpha", "inline").partition(">")[2]
    '<mrow><mi>&#x003B1;</mi></mrow></math>'
    """
    try:
        made = convert(latex, display=display)
        safe = _is_mathematics(made)
    except Exception:  # a class of its own for each mistake, and a page must not fail for a formula
        safe = False
    return Markup(made) if safe else Markup("<code>{}</code>").format(escape(latex))


def _is_mathematics(made: str) -> bool:
    """Whether there is nothing in it but elements of MathML: the converter does not escape what is text in LaTeX."""
    return all(
        element.tag.removeprefix(_NAMESPACE) in _ELEMENTS
        and element.tag.startswith(_NAMESPACE)
        and not _ATTRIBUTES_LEFT_OUT & element.attrib.keys()
        for element in ElementTree.fromstring(made).iter()
    )
