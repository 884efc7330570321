"""The command ``specproof bound``."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from specproof.cli.options import Json, Plugins
from specproof.theory.errors import InvalidInput

if TYPE_CHECKING:
    from specproof.bound import Rows
    from specproof.theory.distribution import Array
    from specproof.theory.sampling_settings import SamplingSettings


def bound(
    draft: Annotated[Path, typer.Option(help=".npy file of the draft's distribution, shape (V,) or (rows, V).")],
    target: Annotated[Path, typer.Option(help=".npy file of the target's, with as many rows.")],
    num_drafts: Annotated[int, typer.Option(help="Number of i.i.d. drafts k.")] = 1,
    logits: Annotated[bool, typer.Option("--logits", help="The files hold logits, not probabilities.")] = False,
    temperature: Annotated[float, typer.Option(help="Divides the logits.")] = 1.0,
    top_k: Annotated[int, typer.Option(help="Keeps the k likeliest tokens; 0 keeps all.")] = 0,
    top_p: Annotated[float, typer.Option(help="Keeps the likeliest tokens that have this probability together.")] = 1.0,
    min_p: Annotated[float, typer.Option(help="Keeps tokens with this share of the likeliest's probability.")] = 0.0,
    draft_temperature: Annotated[
        float | None, typer.Option(help="Divides the draft's logits in place of --temperature.", show_default=False)
    ] = None,
    plugin: Plugins = None,
    as_json: Json = False,
) -> None:
    """Acceptance of every verifier next to the optimum, exactly.

    For rows of distributions JSON has a list, one entry a row, and the table the mean acceptance and the mean of the
    rows' own shares of the optimum, which is not the share of the means.

    The temperature and the filters apply to logits, in this order, for draft and target alike.

    Example:

      specproof bound --draft p.npy --target q.npy --num-drafts 4
    """
    from specproof.bound import Rows, acceptances, leading_axes
    from specproof.own_code import load_plugin
    from specproof.theory.sampling_settings import SamplingSettings

    for name in plugin or []:
        load_plugin(name)

    settings = SamplingSettings(temperature, top_k, top_p, min_p)
    of_draft, of_target = _settings(settings, draft_temperature) if logits else (None, None)
    if not logits:
        _refuse_settings(settings, draft_temperature)
    rows = Rows.load(draft, "draft", of_draft), Rows.load(target, "target", of_target)
    with _progress(leading_axes(*rows)) as advance:
        result = acceptances(*rows, num_drafts, advance)
    _note_padding(*rows)
    if as_json:
        values = {rule: acceptance.tolist() for rule, acceptance in result.items()}
        print(json.dumps({"num_drafts": num_drafts, "acceptance": values}, indent=2))
    else:
        Console().print(_table(result, num_drafts))


def _settings(settings: SamplingSettings, draft_temperature: float | None) -> tuple[SamplingSettings, SamplingSettings]:
    from specproof.theory.numbers import positive_number

    if draft_temperature is None:
        return settings, settings
    return replace(settings, temperature=positive_number(draft_temperature, "draft_temperature")), settings


def _refuse_settings(settings: SamplingSettings, draft_temperature: float | None) -> None:
    given = {name: value for name, value in vars(settings).items() if value != getattr(type(settings), name)}
    given |= {} if draft_temperature is None else {"draft_temperature": draft_temperature}
    for name in given:
        raise InvalidInput(f"{name} has no meaning for probabilities: leave it out, or pass --logits")


def _note_padding(draft: Rows, target: Rows) -> None:
    shorter, longer = sorted((draft, target), key=lambda rows: rows.values.shape[-1])
    few, many = shorter.values.shape[-1], longer.values.shape[-1]
    if few < many:
        print(
            f"specproof: note: {shorter.name} has {few} tokens and {longer.name} has {many}: "
            f"the last {many - few} have probability 0 in the shorter",
            file=sys.stderr,
        )


@contextmanager
def _progress(leading: tuple[int, ...]) -> Iterator[Callable[[int], None]]:
    """Show a bar on a terminal, where it goes away at the end; yield a function that is told of finished rows."""
    import math

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("rows", total=math.prod(leading))
        yield lambda rows: bar.advance(task, rows)


def _table(result: dict[str, Array], num_drafts: int) -> Table:
    import numpy as np

    best = result["optimal"]
    rows = f", {best.size} rows" if best.ndim else ""
    mean = "mean " if best.ndim else ""
    table = Table("verifier", f"{mean}acceptance", f"{mean}share of optimum", title=f"k = {num_drafts}{rows}")
    for rule, acceptance in result.items():
        share = np.divide(acceptance, best, out=np.ones_like(best), where=best > 0)
        table.add_row(rule, f"{acceptance.mean():.6f}", f"{share.mean():.2%}")
    return table
