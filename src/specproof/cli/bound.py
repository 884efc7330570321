"""The command ``specproof bound``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from specproof.cli.options import Json, Plugins
from specproof.theory.errors import InvalidInput


def bound(
    draft: Annotated[Path, typer.Option(help=".npy file of the draft law, shape (V,) or (rows, V).")],
    target: Annotated[Path, typer.Option(help=".npy file of the target law, of the same shape.")],
    num_drafts: Annotated[int, typer.Option(help="Number of i.i.d. drafts k.")] = 1,
    logits: Annotated[bool, typer.Option("--logits", help="The files hold logits, not probabilities.")] = False,
    temperature: Annotated[float, typer.Option(help="Divides the logits; only with --logits.")] = 1.0,
    plugin: Plugins = None,
    as_json: Json = False,
) -> None:
    """Acceptance of every verifier next to the optimum, exactly.

    For rows of laws JSON has a list, one entry a row, and the table the mean acceptance and the mean of the rows' own
    shares of the optimum, which is not the share of the means.

    Example:

      specproof bound --draft p.npy --target q.npy --num-drafts 4
    """
    import numpy as np

    from specproof.bound import acceptances, load
    from specproof.own_code import load_plugin

    for name in plugin or []:
        load_plugin(name)

    if temperature != 1.0 and not logits:
        raise InvalidInput("temperature has no meaning for probabilities: leave it out, or pass --logits")
    laws = [
        load(path, name, logits=logits, temperature=temperature)
        for path, name in ((draft, "draft"), (target, "target"))
    ]
    result = acceptances(laws[0], laws[1], num_drafts)
    if as_json:
        values = {rule: acceptance.tolist() for rule, acceptance in result.items()}
        print(json.dumps({"num_drafts": num_drafts, "acceptance": values}, indent=2))
        return
    best = result["optimal"]
    rows = f", {best.size} rows" if best.ndim else ""
    mean = "mean " if best.ndim else ""
    table = Table("verifier", f"{mean}acceptance", f"{mean}share of optimum", title=f"k = {num_drafts}{rows}")
    for rule, acceptance in result.items():
        share = np.divide(acceptance, best, out=np.ones_like(best), where=best > 0)
        table.add_row(rule, f"{acceptance.mean():.6f}", f"{share.mean():.2%}")
    Console().print(table)
