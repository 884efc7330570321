"""The command ``specproof bound``."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from specproof.cli.options import Json, Plugins
from specproof.theory.errors import InvalidInput

if TYPE_CHECKING:
    from specproof.bound import Acceptances, Rows
    from specproof.theory.sampling_settings import SamplingSettings


def bound(
    draft: Annotated[Path, typer.Option(help=".npy file of the draft's distribution, shape (V,) or (rows, V).")],
    target: Annotated[Path, typer.Option(help=".npy file of the target's, with as many rows.")],
    num_drafts: Annotated[int, typer.Option(help="Number of drafts k.")] = 1,
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
    """Acceptance of every rule for one position next to the optimum, exactly.

    Rules are compared with the optimum of their own drafts: i.i.d., distinct, or certain. Where fewer tokens can be
    drafted than have to be distinct, all of them are. A rule whose law is too dear for so many tokens, or that takes
    another number of drafts, is not computed, and its row says why.

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
        found = acceptances(*rows, num_drafts, advance)
    _note_padding(*rows)
    if as_json:
        print(json.dumps(_record(found, num_drafts), indent=2))
    else:
        Console().print(_table(found, num_drafts))
        print(_remarks(found))


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
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("rows", total=math.prod(leading))
        yield lambda rows: bar.advance(task, rows)


def _record(found: Acceptances, num_drafts: int) -> dict[str, Any]:
    """What JSON says: the acceptance of every rule that was computed, and what is to be known of each rule."""
    return {
        "num_drafts": num_drafts,
        "acceptance": {name: found.acceptance[name].tolist() for name in found.rules if name in found.acceptance},
        "rules": {
            name: {
                "label": rule.label,
                "drafts": rule.draws,
                "is_lossless": rule.is_lossless,
                "optimum": rule.optimum,
                "not_computed": found.refusals.get(name),
                "note": rule.note,
                "source": rule.source,
            }
            for name, rule in found.rules.items()
        },
    }


def _table(found: Acceptances, num_drafts: int) -> Table:
    from specproof.theory.one_position import DRAWS_AT_ONE_POSITION

    leading = found.acceptance["optimal"].shape
    rows = f", {math.prod(leading)} rows" if leading else ""
    mean = "mean " if leading else ""
    columns = ("verifier", "drafts", f"{mean}acceptance", f"{mean}share of optimum")
    table = Table(*columns, title=f"k = {num_drafts}{rows}")
    for (_, draws), group in groupby(found.rules.values(), key=lambda rule: (rule.is_lossless, rule.draws)):
        for rule in group:
            table.add_row(rule.name, DRAWS_AT_ONE_POSITION[draws].label, *_numbers(found, rule.name))
        table.add_section()
    return table


def _numbers(found: Acceptances, name: str) -> tuple[str, str]:
    """The mean acceptance, and the mean of the rows' shares of the optimum with these drafts, as texts."""
    import numpy as np

    rule = found.rules[name]
    if name not in found.acceptance:
        return "not computed", ""
    acceptance, best = found.acceptance[name], found.acceptance.get(rule.optimum)
    if not rule.is_lossless:
        return f"{acceptance.mean():.6f}", "not lossless"
    if best is None:
        return f"{acceptance.mean():.6f}", "not computed"
    share = np.divide(acceptance, best, out=np.ones_like(best), where=best > 0)
    return f"{acceptance.mean():.6f}", f"{share.mean():.2%}"


def _remarks(found: Acceptances) -> str:
    """What is to be known of the rules of the table, a line each."""
    lines = []
    for name, rule in found.rules.items():
        refusal = found.refusals.get(name)
        if refusal is not None:
            lines.append(f"{name}: not computed: {refusal}")
        elif rule.note:
            lines.append(f"{name}: {rule.note}")
    return "\n".join(lines)
