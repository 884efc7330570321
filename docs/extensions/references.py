"""References of docstrings: each leads to a public name, or at least names something that there is.

Docstrings name what they speak of by where it lies, such as ``specproof.theory.transport.certify``; readers of the site
know it by its public name. What is not public has no page, and is shown without a link. What cannot be found at all is
left to Sphinx, which warns of it, and a warning ends the build.
"""

from importlib import import_module

import written

MISSING = object()

HIDDEN = "\ue000"
"""A character that no docstring has stands for a colon meanwhile."""


def find(target, module=None, owner=None):
    """Look a dotted name up, alone or as a docstring of a module or of a class names it; MISSING if there is none.

    The owner is a class, whose attributes may be named without it.
    """
    homes = ["", *([f"{module}.", *([f"{module}.{owner}."] if owner else [])] if module else [])]
    return next((found for home in homes if (found := _imported(home + target)) is not MISSING), MISSING)


def _imported(name):
    parts = name.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            found = import_module(".".join(parts[:cut]))
        except (ImportError, TypeError, ValueError):  # a name that begins with a dot is none
            continue
        for part in parts[cut:]:
            found = _attribute(found, part)
        return found
    return MISSING


def _attribute(thing, name):
    """Look an attribute up; a field of a data class without a default value is one too."""
    if name in getattr(thing, "__annotations__", {}):
        return getattr(thing, name, None)
    return getattr(thing, name, MISSING)


def public_name(target, module, owner, names):
    """Give the public name of what is meant, or none."""
    found = find(target, module, owner)
    last = target.rpartition(".")[2]
    for full, thing in names.items():
        if thing is found and full.rpartition(".")[2] == last:
            return full
    parent = target.rpartition(".")[0]
    if not parent:
        return None
    above = public_name(parent, module, owner, names)
    return f"{above}.{last}" if above else None


def _resolve(app, env, node, shown):
    if node.get("refdomain") != "py":
        return None
    target, module, owner = node["reftarget"], node.get("py:module"), node.get("py:class")
    if find(target, module, owner) is MISSING:
        return None
    public = public_name(target, module, owner, written.public_names())
    if public is None or public == target:
        return shown
    domain = env.get_domain("py")
    return domain.resolve_xref(env, node["refdoc"], app.builder, node["reftype"], public, node, shown) or shown


def _hide_colons(*about_and_lines):
    """Keep the sentence of an attribute whole: what stands before a colon would be taken for its type."""
    _, what, *_, lines = about_and_lines
    if what in ("attribute", "data", "property") and lines:
        lines[0] = lines[0].replace(":", HIDDEN)


def _show_colons(*about_and_lines):
    lines = about_and_lines[-1]
    lines[:] = [line.replace(HIDDEN, ":") for line in lines]


def setup(app):
    """Come before and after the extension that reads the sections of docstrings."""
    app.connect("missing-reference", _resolve)
    app.connect("autodoc-process-docstring", _hide_colons, priority=100)
    app.connect("autodoc-process-docstring", _show_colons, priority=800)
    return {"parallel_read_safe": True}
