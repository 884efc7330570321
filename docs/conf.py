"""How the documentation site is built: `make docs`. Warnings are errors, so that no link or name goes stale."""

import sys
from pathlib import Path

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS / "extensions"))

import gallery  # noqa: E402
import written  # noqa: E402

import specproof  # noqa: E402
from specproof.figures.registry import FIGURES  # noqa: E402

project = "specproof"
author = "The specproof authors"
copyright = "the specproof authors"
version = release = specproof.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "math_as_mathml",
    "executed",
    "numbered",
    "references",
]
nitpicky = True
root_doc = "index"
exclude_patterns = ["extensions"]

myst_enable_extensions = ["dollarmath", "colon_fence", "attrs_inline"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings say more
autodoc_class_signature = "mixed"
napoleon_google_docstring = False
napoleon_custom_sections = [("Attributes", "params_style")]
napoleon_use_param = False
napoleon_use_rtype = False

html_theme = "furo"
html_title = f"specproof {release}"
html_static_path = ["images", "style"]
html_css_files = ["site.css"]
html_math_renderer = "mathml"
html_show_sphinx = False
html_show_search_summary = False  # it would be fetched from other pages, which a browser refuses for files on disk
html_copy_source = False

written.write_pages(DOCS / "written")
for figure in FIGURES:
    gallery.draw(figure, DOCS / "written")
