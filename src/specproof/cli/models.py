"""The command ``specproof models``."""

from __future__ import annotations

import json
from dataclasses import asdict

from rich.console import Console

from specproof.cli.options import Json


def models(as_json: Json = False) -> None:
    """List the model pairs that can be loaded here, and how.

    The names go to --pair, as in:

      specproof reproduce real --pair skip:12,16,20 --out results-skip
    """
    from specproof.simulations.language_models.pairs import available_pairs

    pairs = available_pairs()
    if as_json:
        print(json.dumps([asdict(pair) for pair in pairs], indent=2))
        return
    console = Console()
    for pair in pairs:
        here = {True: "on this machine", False: f"to be fetched, {pair.download}", None: pair.download}[pair.cached]
        console.print(f"[bold]{pair.name}[/]", highlight=False, soft_wrap=True)
        facts = {"form": pair.form, "draft": pair.draft, "target": pair.target, "source": pair.source}
        for fact, value in {**facts, "licence": pair.licence, "download": here}.items():
            console.print(f"    {fact:<9} {value}", highlight=False, markup=False, soft_wrap=True)
        if pair.missing:
            console.print(
                f"    missing   {', '.join(pair.missing)}: pip install 'specproof\\[llm]'",
                highlight=False,
                soft_wrap=True,
            )
