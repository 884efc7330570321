"""Options that several commands have."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


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
