"""The command ``specproof list``."""

from __future__ import annotations

import json

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from specproof.cli.options import Json


def list_everything(as_json: Json = False) -> None:
    """List all claims and figures: id, source, one-line statement.

    Example:

      specproof list --json
    """
    from specproof.figures.registry import FIGURES
    from specproof.simulations.claims.registry import CLAIMS

    entries = [
        {"id": item.id, "kind": kind, "source": item.source, "statement": item.statement}
        for kind, items in (("claim", CLAIMS), ("figure", FIGURES))
        for item in items
    ]
    if as_json:
        print(json.dumps(entries, indent=2))
        return
    console = Console()
    for entry in entries:
        console.print(f"[bold]{entry['id']}[/]", highlight=False, soft_wrap=True)
        for line in (entry["statement"], entry["source"]):
            console.print(Padding(Text(line), (0, 0, 0, 4)))
