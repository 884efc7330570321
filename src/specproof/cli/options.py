"""Options that several commands have."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from specproof.theory.errors import InvalidInput


class Device(StrEnum):
    """Where models and their sampling run."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"


Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of a table.")]

Html = Annotated[
    Path | None, typer.Option("--html", metavar="FILE", help="Write a page of it, one HTML file that needs no network.")
]

Plugins = Annotated[
    list[str] | None,
    typer.Option(
        "--plugin", metavar="FILE", help="A .py file or module that registers verifiers of your own; may be repeated."
    ),
]


def require_page(html: Path) -> None:
    """Fail before the work, and not after it, where a page cannot be made or written.

    Raises
    ------
    InvalidInput
        If a package that pages need is missing, or the file cannot be written.
    """
    try:
        import specproof.report.page  # noqa: F401
    except ModuleNotFoundError as error:
        raise InvalidInput(f"--html needs the package {error.name}: pip install jinja2 latex2mathml") from None
    from specproof.simulations.experiments.whole_files import require_writable_file

    require_writable_file(html)
