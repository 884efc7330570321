"""The command ``specproof reproduce``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from specproof.cli import EXIT_REFUTED
from specproof.cli.options import Device, Plugins


def reproduce(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="CLAIM_OR_FIGURE",
            help="Ids as 'specproof list' shows them, or their first part, such as 'yin2024'; or claims of your own: "
            "FILE.py, FILE.py:CLAIM or MODULE:CLAIM. Default: all of ours.",
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
    plugin: Plugins = None,
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

      specproof reproduce my_claims.py:CLAIM yin2024.theorem1
    """
    from specproof.own_code import load_claims, load_plugin, names_own_code

    # Before anything of ours that looks into the registry of verifiers is imported.
    own = [load_plugin(name) for name in plugin or []]
    own += [load_claims(name) for name in names or [] if names_own_code(name)]

    from specproof.findings import print_findings
    from specproof.reproduce import make_settings
    from specproof.reproduce import reproduce as run
    from specproof.run_plan import plan_run
    from specproof.wanted import find_wanted

    wanted = find_wanted([name for name in names or [] if not names_own_code(name)], own)
    settings = make_settings(
        wanted.claims,
        full=full,
        seed=seed,
        pair=pair,
        device=device.value,
        prompts=prompts,
        draft_length=draft_length,
        scorer=scorer,
    )
    found = run(plan_run(wanted, settings), out, jobs=jobs, scheduler=scheduler)
    print_findings(found, out)
    if any(part.surprises for part in found):
        raise typer.Exit(EXIT_REFUTED)
