"""The command ``specproof plan``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from specproof.cli.options import Html, Json, Plugins, require_page
from specproof.theory.errors import InvalidInput

if TYPE_CHECKING:
    from specproof.simulations.traces.planning import Costs, Plan, PlannedRow
    from specproof.simulations.traces.trace import Trace

SHOWN = 20
"""The table shows this many of the fastest; JSON has all."""


def plan(
    trace: Annotated[Path, typer.Argument(help="A trace, as specproof capture writes it.")],
    cost: Annotated[
        float | None, typer.Option(help="c: the time of a draft step over that of a call of the target.")
    ] = None,
    measure: Annotated[
        bool, typer.Option("--measure", help="Measure the times of the trace's pair on this machine instead.")
    ] = False,
    rules: Annotated[
        str | None, typer.Option(metavar="RULE,...", help="Rules to price; by default all that the trace can price.")
    ] = None,
    num_drafts: Annotated[
        str | None,
        typer.Option(metavar="K,...", help="Numbers of draft sequences, by default those of 1,2,4,8 in the trace."),
    ] = None,
    length: Annotated[
        str | None,
        typer.Option(metavar="L,...", help="Tokens drafted in a call, by default those of 1,2,3,4,6,8 that fit."),
    ] = None,
    tree: Annotated[
        list[str] | None,
        typer.Option(metavar="WIDTH-WIDTH-...", help="Children of each node of a tree by depth; may be repeated."),
    ] = None,
    tree_nodes: Annotated[
        str | None,
        typer.Option(
            metavar="N,...",
            help="Design trees of so many drafted tokens: the widths and the shapes that accept most.",
        ),
    ] = None,
    draft_temperature: Annotated[
        str | None,
        typer.Option(
            metavar="T,...",
            help="Draft temperatures, by default all that the trace holds; others need logits: capture at them.",
        ),
    ] = None,
    device: Annotated[str, typer.Option(help="Where --measure runs: auto, cpu or cuda.")] = "auto",
    plugin: Plugins = None,
    figure: Annotated[
        Path | None, typer.Option(help="Draw the curves of speed against c into this file, .png, .svg or .pdf.")
    ] = None,
    as_json: Json = False,
    html: Html = None,
) -> None:
    """Choose a rule, a number and a length of drafts from a trace.

    Tokens per call follow exactly from the text of the trace, and are compared on it in pairs; speed is tokens per call
    over what a call costs. Intervals are of 95%, over prompts; those of speeds hold for all configurations at once, as
    the fastest is chosen on the same text.

    Examples
    --------
      specproof capture --pair rtn:4 --out trace.parquet

      specproof plan trace.parquet --cost 0.1

      specproof plan trace.parquet --measure --rules single,block,kseq --length 2,4 --tree 4-2-1

      specproof plan trace.parquet --cost 0.1 --rules single,kseq,certain --tree-nodes 8,16
    """
    from specproof.own_code import load_plugin
    from specproof.simulations.traces.ask import asked_configurations
    from specproof.simulations.traces.planning import make_plan
    from specproof.simulations.traces.pricing import price
    from specproof.simulations.traces.trace import Trace

    if figure is not None:
        from specproof.figures.speed_curves import require_figure_file

        require_figure_file(figure)
    if html is not None:
        require_page(html)
    for name in plugin or []:
        load_plugin(name)
    read = Trace.read(trace)
    asked = asked_configurations(
        read,
        rules=None if rules is None else _split(rules),
        num_drafts=None if num_drafts is None else _numbers(num_drafts, "num-drafts"),
        lengths=None if length is None else _numbers(length, "length"),
        trees=[_numbers(each, "tree", "-") for each in tree or []],
        tree_nodes=[] if tree_nodes is None else _numbers(tree_nodes, "tree-nodes"),
        draft_temperatures=None if draft_temperature is None else _floats(draft_temperature),
    )
    costs = _costs(read, cost, measure, device)
    made = make_plan(price(read, asked), costs)
    if figure is not None:
        from specproof.figures.speed_curves import save

        save(made, figure)
    if html is not None:
        from specproof.report.page import write_page
        from specproof.report.plan_page import plan_page

        write_page(html, plan_page(made, read.header, ["specproof", *sys.argv[1:]]))
    if as_json:
        print(json.dumps(_as_json(read, made), indent=2))
    else:
        _show(read, made)


def _costs(trace: Trace, cost: float | None, measure: bool, device: str) -> Costs:
    from specproof.simulations.traces.planning import CostRatio

    if measure == (cost is not None):
        raise InvalidInput("give either --cost C or --measure: speed needs the price of a draft step")
    if cost is not None:
        return CostRatio(cost)
    from specproof.simulations.traces.measured import measured_costs

    return measured_costs(trace, device)


def _show(trace: Trace, made: Plan) -> None:
    tokens = sum(text.tokens for text in trace.header.texts)
    title = f"{trace.header.models}: {tokens} tokens of {len(made.prices.prompts)} prompts"
    table = Table(
        "rule", "drafts", "tokens/call", "speed over target", "over one draft", "over the fastest", title=title
    )
    for row in made.rows[:SHOWN]:
        table.add_row(*_cells(row, len(trace.header.draft_temperatures) > 1))
    console = Console()
    console.print(table)
    if len(made.rows) > SHOWN:
        console.print(f"{len(made.rows) - SHOWN} slower configurations are not shown; --json has all.")
    console.print(made.recommendation(), highlight=False)


def _cells(row: PlannedRow, with_temperature: bool) -> tuple[str, ...]:
    intervals = (row.tokens_per_call, row.speed, row.over_one_draft, row.over_best)
    words = [f"{each.estimate:.3f} [{each.low:.3f}, {each.high:.3f}]" for each in intervals]
    temperature = f", T = {row.configuration.draft_temperature}" if with_temperature else ""
    shape = f"{row.configuration.shape}{temperature}"
    return row.configuration.label, shape, *(text.replace("nan", "-") for text in words)


def _as_json(trace: Trace, made: Plan) -> dict[str, Any]:
    """Put the plan into plain values; what does not exist, such as an interval over one prompt, is null."""
    from specproof.simulations.traces.pricing import LEVEL
    from specproof.simulations.traces.simultaneous import SAMPLES, SEED

    def records(table: Any) -> list[dict[str, Any]]:
        return [{name: _value(value) for name, value in record.items()} for record in table.to_dict("records")]

    best = made.rows[0]
    return {
        "trace": json.loads(trace.header.to_json()) | {"texts": len(trace.header.texts)},
        "level": LEVEL,
        "simultaneous": {"critical": _value(made.critical), "samples": SAMPLES, "seed": SEED},
        "configurations": records(made.table()),
        "curves": records(made.curves()),
        "recommendation": {
            "speculate": made.pays,
            "label": best.configuration.label,
            "shape": best.configuration.shape,
            "text": made.recommendation(),
        },
    }


def _value(value: Any) -> Any:
    return None if value != value or value == float("inf") else value


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _numbers(text: str, option: str, separator: str = ",") -> list[int]:
    parts = text.split(separator)
    if not all(part.strip().isdecimal() and int(part) > 0 for part in parts):
        raise InvalidInput(f"--{option} is {text!r}: write positive whole numbers, as in {separator.join('421')}")
    return [int(part) for part in parts]


def _floats(text: str) -> list[float]:
    try:
        return [float(part) for part in _split(text)]
    except ValueError:
        raise InvalidInput(f"--draft-temperature is {text!r}: write numbers, as in 0.8,1.0") from None
