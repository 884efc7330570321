"""A matplotlib figure as SVG that follows the colours of its page."""

from __future__ import annotations

import re

from markupsafe import Markup

_COLOURS = {
    "#000000": "currentColor",
    "#ffffff": "var(--paper)",
    **dict.fromkeys(("#4c4c4c", "#4d4d4d", "#555555"), "var(--faint)"),
    **dict.fromkeys(("#cccccc", "#d8d8d8", "#d9d9d9", "#dddddd", "#e5e5e5", "#eeeeee"), "var(--line)"),
}
"""Black, white and greys are those of the page, light or dark; the palette's colours stay."""

PIXELS = 1.2
"""So many pixels of a page are a point of the figure, whose text is then as large as that of tables."""

_HEAD = re.compile(r"<svg\b[^>]*?viewBox=\"([^\"]*)\"[^>]*>", re.DOTALL)
_DROPPED = re.compile(r"<metadata>.*?</metadata>|<!--.*?-->", re.DOTALL)
_NAMES = re.compile(r'(\bid="|url\(#|(?:xlink:)?href="#)')
_DIGITS = re.compile(r"(\d+\.\d\d)\d+")
_FONTS = re.compile(r"font-family: 'DejaVu Sans',[^;\"]*(; )?")  # the page names them once for all texts
_UNTURNED = re.compile(r' transform="rotate\(-?0 [^"]*\)"')
_ID = re.compile(r' id="([^"]*)"')
_USED = re.compile(r'(?:url\(|href=")#([^)"]*)')
_SPACE = re.compile(r"\s+")


def inline_svg(svg: str, name: str, title: str) -> Markup:
    """Make an SVG file of matplotlib's a part of a page.

    Parameters
    ----------
    svg : str
        The file.
    name : str
        It is put before every id, so that two figures of a page do not share any.
    title : str
        What the figure shows, for whoever cannot see it.
    """
    size = _HEAD.search(svg)
    if size is None:
        raise AssertionError(f"{name} is no SVG file with a viewBox")
    body = _smaller(svg[size.end() :])
    body = _NAMES.sub(rf"\g<1>{name}-", body).replace("xlink:href", "href")
    for colour, ours in _COLOURS.items():
        body = body.replace(f": {colour}", f": {ours}")
    width = PIXELS * float(size[1].split()[2])
    opening = Markup('<svg viewBox="{}" role="img" aria-label="{}" style="--whole: {:.0f}px"><title>{}</title>')
    head = opening.format(size[1], title, width, title)
    return head + Markup(body)


def _smaller(body: str) -> str:
    """Leave out what no reader of a page sees: a page of many figures is half as large."""
    for needless in (_DROPPED, _FONTS, _UNTURNED):
        body = needless.sub("", body)
    used = set(_USED.findall(body))
    body = _ID.sub(lambda found: found[0] if found[1] in used else "", body)
    return _SPACE.sub(" ", _DIGITS.sub(r"\1", body))
