"""How a template becomes a page, and a page a file."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from specproof import __version__
from specproof.report.formula import mathml
from specproof.simulations.experiments.whole_files import write_text


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("specproof.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["version"] = __version__
    environment.filters["mathml"] = mathml
    return environment


def render(template: str, **content: Any) -> str:
    """Fill a template in; whatever is put into it is escaped, so that no name or message can become markup.

    Parameters
    ----------
    template : str
        The name of a file in ``templates/`` without its ending.
    **content
        The names that the template uses.
    """
    return _environment().get_template(f"{template}.html.j2").render(**content)


def write_page(path: Path, page: str) -> None:
    """Write a page, whole or not at all.

    Raises
    ------
    InvalidInput
        If the file cannot be written.
    """
    write_text(path, page)
