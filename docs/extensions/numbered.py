"""Numbered references of docstrings as a list: on one page there are many of each number."""

import re

_CITED = re.compile(r"\[(\d+)\]_")
_LISTED = re.compile(r"^(\s*)\.\. \[(\d+)\] (.*)$")


def _number(*about_and_lines):
    """Write ``[1]_`` as [1], and the entries of the list in one line each."""
    _, what, _, thing, _, lines = about_and_lines
    if what == "data" and type(thing).__module__ == "builtins":
        lines.clear()  # a constant has no docstring of its own, and that of its type says nothing of it
    written = []
    within = None
    for line in lines:
        entry = _LISTED.match(line)
        if entry:
            indent, number, text = entry.groups()
            written.append(f"{indent}| [{number}] {text}")
            within = len(indent)
        elif within is not None and line.strip() and len(line) - len(line.lstrip()) > within:
            written[-1] += f" {line.strip()}"
        else:
            within = None
            written.append(_CITED.sub(r"[\1]", line))
    lines[:] = written


def setup(app):
    """Come after the extension that reads the sections of docstrings."""
    app.connect("autodoc-process-docstring", _number, priority=900)
    return {"parallel_read_safe": True}
