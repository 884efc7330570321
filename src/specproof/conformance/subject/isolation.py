"""A check in a process of its own: whatever a stranger's function does to its process, there is a report.

A thread can leave a hang in Python behind. Code that keeps the interpreter's lock, that ends the process or that breaks
it can only be left behind with the whole process.
"""

from __future__ import annotations

import contextlib
import faulthandler
import multiprocessing
import os
import signal
import sys
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from specproof.theory.errors import InvalidInput

if TYPE_CHECKING:
    from specproof.conformance import Report

IMPORT_LIMIT = 60.0
"""Seconds for importing the function."""
SLACK = 15.0
"""Seconds, or half of the time limit if that is more, that a check may overrun before its process is killed: a busy
machine must not make a slow check a crash."""


def supervise(function: str, contract: str, **options: Any) -> Report:
    """Load ``MODULE:FUNCTION`` and check it in a child process, with the arguments of ``check_sampler``.

    A process that ends without a report, or has to be killed for being late with it, has the verdict "crashes". An
    exception from outside the function's calls, be it the check's own fault or that of what the function did to its
    process, has the verdict "inconclusive". What the function writes to the process's standard output is dropped.

    Raises
    ------
    InvalidInput
        As :func:`specproof.conformance.check_sampler` and
        :func:`specproof.conformance.subject.sampler_under_test.load_function`.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(theirs, function, contract, options))
    process.start()
    theirs.close()
    try:
        answer = _answer(process, ours, "importing it", IMPORT_LIMIT)
        if isinstance(answer, float):
            answer = _answer(process, ours, "checking it", answer)
    finally:
        process.kill()
        process.join()
        ours.close()
    if isinstance(answer, InvalidInput):
        raise answer
    return _ended("crashes", answer, function, contract, options) if isinstance(answer, str) else answer


def _answer(process: BaseProcess, connection: Connection, doing: str, seconds: float) -> Any:
    """What the child sends next; a sentence if it sends nothing."""
    wait([connection, process.sentinel], seconds)
    with contextlib.suppress(EOFError, OSError):
        if connection.poll():
            return connection.recv()
    process.join(1.0)  # its end and the end of its status are not one moment
    if process.exitcode is None:
        return f"{doing} did not end within {seconds:g} s and had to be killed"
    if process.exitcode < 0:
        return f"{doing} ended the process with signal {_signal_name(-process.exitcode)}"
    return f"{doing} ended the process with exit status {process.exitcode}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)


def _ended(verdict: str, text: str, function: str, contract: str, options: dict[str, Any]) -> Report:
    """The report on a check that did not come to its own."""
    from specproof.conformance.report.report import Finding, Report, Verdict

    finding = Finding(Verdict(verdict), "process", "", text)
    return Report(function, contract, finding.verdict, (finding,), level=options["level"], seed=options["seed"])


def _child(connection: Connection, function: str, contract: str, options: dict[str, Any]) -> None:
    """Send an InvalidInput, or the seconds that the check may take and its report."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears it, and kills
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    try:
        _check(connection, function, contract, options)
    except InvalidInput as error:
        connection.send(error)
    except BaseException as error:  # what the function raises when it is called is a finding of the check
        message = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
        text = f"the check broke off outside the function ({message}): call check_sampler in Python to see where"
        connection.send(_ended("inconclusive", text, function, contract, options))
    os._exit(0)  # whatever threads it has left


def _check(connection: Connection, function: str, contract: str, options: dict[str, Any]) -> None:
    from specproof.conformance.arguments import DEFAULT, THOROUGH, check_arguments
    from specproof.conformance.checking import check_sampler
    from specproof.conformance.subject.sampler_under_test import load_function

    check_arguments(contract, **{name: options[name] for name in ("level", "seed", "time_limit", "arrays")})
    _end_after(IMPORT_LIMIT)
    module = function.rpartition(":")[0]
    # What the function imports when it is called lies where Python would look for it, had it been started there.
    sys.path.insert(0, str(Path(module).resolve().parent if module.endswith(".py") else Path.cwd()))
    try:
        sampler = load_function(function)
    except KeyboardInterrupt:  # its own: the user's goes to the parent
        raise InvalidInput(f"{module} cannot be imported (KeyboardInterrupt): import it in Python to see why") from None
    seconds = options["time_limit"] or (THOROUGH if options["thorough"] else DEFAULT).seconds
    limit = seconds + max(SLACK, seconds / 2)
    _end_after(limit)
    connection.send(limit)
    connection.send(check_sampler(sampler, contract, **options))


def _end_after(seconds: float) -> None:
    """End this process some time after it is late, should there be no parent any more to kill it.

    That works also while the interpreter's lock is never given back.
    """
    nowhere = os.open(os.devnull, os.O_WRONLY)  # left open: it is written to when the process ends
    faulthandler.dump_traceback_later(2 * seconds, exit=True, file=nowhere)
