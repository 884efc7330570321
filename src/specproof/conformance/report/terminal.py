"""A report on the terminal or for programs."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterator

from rich.console import Console

from specproof.conformance.report.report import Report
from specproof.conformance.report.text import full


class _Pipe(Console):
    """A console that leaves it to its caller what a closed pipe means; rich would end the program with status 1."""

    def on_broken_pipe(self) -> None:
        raise  # the error that is being handled


def show(report: Report, *, as_json: bool, verbose: bool = False) -> None:
    """Print a report; a reader that has read enough, as ``head`` has, does not change the exit status."""
    with _whoever_reads():
        if as_json:
            print(json.dumps(report.as_dict(), indent=2, allow_nan=False))
        else:
            console = _Pipe(highlight=False, soft_wrap=True)
            for part in full(report, verbose=verbose):
                console.print(part)
        sys.stdout.flush()


@contextlib.contextmanager
def _whoever_reads() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is still buffered has to go somewhere
