"""The command ``specproof``."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn

import numpy as np
import typer
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text
from typer.exceptions import TyperException

from specproof.bound import acceptances, load
from specproof.theory.errors import InvalidInput

EXIT_REFUTED, EXIT_USAGE, EXIT_INTERRUPTED = 1, 2, 130

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Exact theory, simulation and conformance tests for speculative decoding.\n\n"
    "Start with [bold]specproof list[/bold], then [bold]specproof reproduce --quick[/bold].",
    rich_markup_mode="rich",
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of a table.")]


class Device(StrEnum):
    """Where models and their sampling run."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"


@app.callback(invoke_without_command=True)
def about(context: typer.Context) -> None:
    """Show the help where no command is given."""
    if context.invoked_subcommand is None:
        print(context.get_help())


@app.command()
def reproduce(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="CLAIM_OR_FIGURE",
            help="Ids as 'specproof list' shows them, or their first part, such as 'yin2024'. Default: all.",
            show_default=False,
        ),
    ] = None,
    full: Annotated[
        bool, typer.Option("--full/--quick", help="Hours for tight intervals, or minutes.", show_default="--quick")
    ] = False,
    pair: Annotated[
        str, typer.Option(help="Language-model pair: rtn:4, skip:12,16,20, temperature:1.5 or hf:DRAFT,TARGET.")
    ] = "rtn:4",
    prompts: Annotated[
        Path | None,
        typer.Option(help="Prompts for the pair, one JSON object with a 'text' a line. Default: those shipped."),
    ] = None,
    draft_length: Annotated[int, typer.Option(min=1, help="Tokens drafted in a round of decoding.")] = 4,
    scorer: Annotated[
        str, typer.Option(help="What judges continuations: likelihood, under the target, or hf:NAME, a reward model.")
    ] = "likelihood",
    device: Annotated[Device, typer.Option(help="Where the models run.")] = Device.AUTO,
    jobs: Annotated[
        int | None,
        typer.Option(min=1, help="Worker processes; each loads its own models. Default: cores, or 1 on a GPU."),
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option(help="Run the cells on a Dask cluster instead: tcp://HOST:PORT.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Root of every random stream.")] = 0,
    out: Annotated[Path, typer.Option(help="Folder for evidence, tables, figures and the manifest.")] = Path("results"),
) -> None:
    """Gather evidence for claims, draw the figures, and say what holds.

    Ends with 0 only if no claim is refuted and every negative control is, except
    where data is too scarce to refute anything: the table counts such controls as
    inconclusive. Ends with 1 otherwise. Interrupted runs go on where they were:
    finished cells are kept in OUT and count again for the same code, seed and
    settings. The result does not depend on --jobs or --scheduler.

    For example:

      specproof reproduce --quick

      specproof reproduce spectr2023.kseq-valid --seed 7

      specproof reproduce real --pair skip:12,16,20 --out results-skip
    """
    from specproof.findings import show
    from specproof.reproduce import reproduce as run
    from specproof.reproduce import settle
    from specproof.selection import select

    wanted = select(names or [])
    settings = settle(
        wanted.claims,
        full=full,
        seed=seed,
        pair=pair,
        device=device.value,
        prompts=prompts,
        draft_length=draft_length,
        scorer=scorer,
    )
    found = run(wanted, settings, out, jobs=jobs, scheduler=scheduler)
    show(found, out)
    if any(part.surprises for part in found):
        raise typer.Exit(EXIT_REFUTED)


@app.command("list")
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


@app.command()
def bound(
    draft: Annotated[Path, typer.Option(help=".npy file of the draft law, shape (V,) or (rows, V).")],
    target: Annotated[Path, typer.Option(help=".npy file of the target law, of the same shape.")],
    num_drafts: Annotated[int, typer.Option(help="Number of i.i.d. drafts k.")] = 1,
    logits: Annotated[bool, typer.Option("--logits", help="The files hold logits, not probabilities.")] = False,
    temperature: Annotated[float, typer.Option(help="Divides the logits; only with --logits.")] = 1.0,
    as_json: Json = False,
) -> None:
    """Acceptance of every verifier next to the optimum, exactly.

    For rows of laws JSON has a list, one entry a row, and the table the mean acceptance and the mean of the rows' own
    shares of the optimum, which is not the share of the means.

    Example:

      specproof bound --draft p.npy --target q.npy --num-drafts 4
    """
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


@app.command()
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
            console.print(f"    missing   {', '.join(pair.missing)}: pip install 'specproof\\[llm]'", highlight=False)


class Contract(StrEnum):
    """Signature of the sampler to check."""

    CHAIN = "chain"
    MULTI = "multi"
    GENERATE = "generate"


class Arrays(StrEnum):
    """What a verifier is handed."""

    NUMPY = "numpy"
    TORCH = "torch"


@app.command()
def check(
    function: Annotated[str, typer.Argument(metavar="MODULE:FUNCTION", help="MODULE may be the path of a .py file.")],
    contract: Annotated[Contract, typer.Option(help="The function's signature.")] = Contract.CHAIN,
    thorough: Annotated[bool, typer.Option("--thorough", help="Spend a minute, not seconds.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="Of the inputs and of the function's generators.")] = 0,
    level: Annotated[
        float, typer.Option(help="Chance that anything is found wrong with a lossless sampler, at least 1e-100.")
    ] = 1e-6,
    time_limit: Annotated[
        float | None,
        typer.Option(
            help="Seconds, a day at most. A call that takes half of them is a hang; the first, which may compile, may "
            "take all. Default: 10, or 60 with --thorough."
        ),
    ] = None,
    arrays: Annotated[Arrays, typer.Option(help="What a verifier is handed.")] = Arrays.NUMPY,
    require_seed: Annotated[
        bool, typer.Option("--require-seed", help="Refuse output that is not reproduced by the same generator.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Check whether a sampler is lossless, and how far its acceptance is from the best.

    Ends with 0 if it is lossless, with 1 if it is not or too little was seen to
    say so, and with 2 if nothing could be checked, for want of such a function or
    for an option that cannot be used. Contracts, for n independent trials and a
    NumPy generator:

      chain     verify(draft_probs (n,L,V), target_probs (n,L+1,V), draft_tokens (n,L), rng) -> emitted (n,L+1)

      multi     verify(draft_probs (n,V), target_probs (n,V), draft_tokens (n,k), rng) -> (emitted (n,), accepted (n,))

      generate  generate(draft_model, target_model, prompt, length, n, rng) -> tokens (n,length)

    For example:

      specproof check my_engine/sampler.py:verify --contract chain --thorough
    """
    from dataclasses import replace

    from specproof.conformance.report.terminal import show
    from specproof.conformance.subject.isolation import supervise

    report = supervise(
        function,
        contract.value,
        time_limit=time_limit,
        thorough=thorough,
        level=level,
        seed=seed,
        arrays=arrays.value,
        require_seed=require_seed,
    )
    show(replace(report, subject=function), as_json=as_json)
    if not report.is_lossless:
        raise typer.Exit(EXIT_REFUTED)


def main() -> None:
    """Run the command; whatever a user can cause ends in one line on stderr and an exit status."""
    try:
        status = app(standalone_mode=False) or 0
    except InvalidInput as error:
        _fail(str(error))
    except TyperException as error:
        _fail(f"{error.format_message().rstrip('.')}; 'specproof --help' shows what there is")
    if status == EXIT_INTERRUPTED:  # what typer makes of an interrupt
        kept = "; finished cells are kept, and the same command goes on from them"
        print("specproof: interrupted" + kept * (sys.argv[1:2] == ["reproduce"]), file=sys.stderr)
    sys.exit(status)


def _fail(message: str) -> NoReturn:
    print(f"specproof: error: {' '.join(message.splitlines())}", file=sys.stderr)
    sys.exit(EXIT_USAGE)
