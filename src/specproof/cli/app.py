"""What the words after ``specproof`` mean: one function a command, each in a file of its own."""

from __future__ import annotations

from typing import Annotated

import typer
from typer.exceptions import TyperException

from specproof import __version__
from specproof.cli.bound import bound
from specproof.cli.capture import capture
from specproof.cli.check import check
from specproof.cli.list import list_everything
from specproof.cli.models import models
from specproof.cli.plan import plan
from specproof.cli.reproduce import reproduce
from specproof.theory.errors import InvalidInput

app = typer.Typer(
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode="rich",
)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"specproof {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def about(
    context: typer.Context,
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Exact theory, simulation and conformance tests for speculative decoding.

    Start with [bold]specproof list[/bold], then [bold]specproof reproduce --quick[/bold].

    Every command ends with 0 if all is well, with 1 if something is refuted or
    not shown to be lossless, with 2 if nothing could be done, for a mistake in
    what was asked or for want of memory, and with 130 if it is interrupted.
    """
    if context.invoked_subcommand is None:
        print(context.get_help())


app.command()(reproduce)
app.command("list")(list_everything)
app.command()(bound)
app.command()(models)
app.command()(check)
app.command()(plan)
app.command()(capture)


def run() -> int:
    """Run the command that the process's arguments name, and return its exit status.

    Raises
    ------
    InvalidInput
        For whatever a user can cause, in one line.
    """
    try:
        return app(standalone_mode=False) or 0
    except TyperException as error:
        raise InvalidInput(f"{error.format_message().rstrip('.')}; 'specproof --help' shows what there is") from None
