"""Formulas as MathML: pages that are read from disk fetch nothing."""

from specproof.report.formula import mathml


def _show(self, node, display):
    shown = mathml(node.astext(), display)
    if shown.startswith("<code>"):
        raise ValueError(f"this formula cannot be shown: {node.astext()!r}")
    self.body.append(shown)


def _inline(self, node):
    from docutils.nodes import SkipNode

    _show(self, node, "inline")
    raise SkipNode


def _block(self, node):
    from docutils.nodes import SkipNode

    _show(self, node, "block")
    raise SkipNode


def setup(app):
    """Register the renderer that ``html_math_renderer`` names."""
    app.add_html_math_renderer("mathml", inline_renderers=(_inline, None), block_renderers=(_block, None))
    return {"parallel_read_safe": True}
