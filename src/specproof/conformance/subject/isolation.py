"""A check in a process of its own: whatever a stranger's function does to its process, there is a report.

A thread can leave a hang in Python behind. Code that keeps the interpreter's lock, that ends the process or that breaks
it can only be left behind with the whole process.
"""

from __future__ import annotations

import contextlib
import faulthandler
import multiprocessing
import os
import pickle
import signal
import threading
import time
from functools import partial
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import TYPE_CHECKING, Any

from specproof.conformance.subject.failures import one_line
from specproof.conformance.subject.loading import extend_path, find_source, load_function
from specproof.conformance.subject.sampler_under_test import Sampler
from specproof.conformance.subject.surroundings import WORKER
from specproof.theory.errors import InvalidInput

if TYPE_CHECKING:
    from specproof.conformance.arguments import Settings
    from specproof.conformance.report.finding import Verdict
    from specproof.conformance.report.report import Report

START_LIMIT = 60.0
"""Starting the process may take so many seconds."""
IMPORT_LIMIT = 60.0
"""Importing the function may take so many seconds."""
SLACK = 15.0
"""A check may overrun its time limit by so many seconds, or by half of it if that is more, before its process is
killed: a busy machine must not make a slow check a crash."""
WITHOUT_PIPE = 97
"""The status with which a process ends that cannot say anything any more."""
MEMORY = 0.75
"""A function that is checked in a process of its own may allocate this share of the machine's memory."""
REMEDY = "give 'MODULE:FUNCTION', or a function that is defined at the top of a module that can be imported"


def name_of(function: Any) -> str:
    """Name a function as a report does, whatever a stranger's object makes of being asked."""
    if isinstance(function, str):
        return function
    try:
        module, name = getattr(function, "__module__", ""), getattr(function, "__qualname__", "")
    except Exception:  # a stranger's object may raise what it likes
        module = name = ""
    if module and name:
        return f"{module}:{name}"
    if isinstance(function, partial):
        return f"a partial {name_of(function.func)}"
    if callable(function):  # what it says of itself is by default its address, which another run does not repeat
        return f"an instance of {type(function).__module__}:{type(function).__qualname__}"
    try:
        return repr(function)
    except Exception:  # a stranger's object need not have a name that can be read
        return f"a {type(function).__name__}"


def check_in_process(function: Sampler | str, settings: Settings) -> Report:
    """Load a function and check it in a child process.

    A process that ends without a report, or has to be killed for being late with it, has the verdict "crashes". An
    exception from outside the function's calls, be it the check's own fault or that of what the function did to its
    process, has the verdict "inconclusive". What the function writes to the process's standard output is dropped, and
    the processes that it leaves behind are killed.

    Raises
    ------
    InvalidInput
        If the function cannot be taken to another process, or cannot be found or called there.
    """
    name, parcel = name_of(function), function if isinstance(function, str) else _pickled(function)
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(theirs, name, parcel, settings))
    process.start()
    theirs.close()
    try:
        answer = _answer(process, ours, "starting the process", START_LIMIT)
        if isinstance(answer, str):
            raise InvalidInput(
                f"{answer}: a script that checks with isolate=True does so below 'if __name__ == \"__main__\":'"
            )
        answer = _answer(process, ours, "importing it", IMPORT_LIMIT)
        if isinstance(answer, float):
            answer = _answer(process, ours, "checking it", answer)
    finally:
        _kill(process)
        ours.close()
    if isinstance(answer, InvalidInput):
        raise answer
    return _ended(answer, name, settings) if isinstance(answer, str) else answer


def _pickled(function: Sampler) -> bytes:
    try:
        return pickle.dumps(function)
    except Exception as error:  # what pickle raises is as various as what it is given
        raise InvalidInput(
            f"function is {name_of(function)}, which cannot be taken to another process ({one_line(error)}): {REMEDY}"
        ) from None


def _answer(process: BaseProcess, connection: Connection, doing: str, seconds: float) -> Any:
    """Receive what the child sends next; a sentence if it sends nothing."""
    is_closed = False
    wait([connection, process.sentinel], seconds)
    try:
        if connection.poll():
            return connection.recv()
    except (EOFError, OSError):
        is_closed = True
    process.join(1.0)  # its end and the end of its status are not one moment
    if is_closed and process.exitcode in (None, WITHOUT_PIPE):
        return f"{doing} closed the pipe through which the check reports"
    if process.exitcode is None:
        return f"{doing} did not end within {seconds:g} s and had to be killed"
    if process.exitcode < 0:
        return f"{doing} ended the process with signal {_signal_name(-process.exitcode)}"
    return f"{doing} ended the process with exit status {process.exitcode}"


def _kill(process: BaseProcess) -> None:
    """End the process, and those that it has left in its session."""
    process.kill()
    assert process.pid is not None
    with contextlib.suppress(AttributeError, OSError):  # there are none, or not on this system
        os.killpg(process.pid, signal.SIGKILL)
    process.join()


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)


def _ended(text: str, name: str, settings: Settings, verdict: Verdict | None = None) -> Report:
    """Report on a check that did not come to its own end; it crashed unless another verdict is given."""
    from specproof.conformance.report.finding import Detector, Finding, Verdict
    from specproof.conformance.report.report import Report

    finding = Finding(verdict or Verdict.CRASHES, Detector.PROCESS, "", text)
    return Report(name, settings.contract, finding.verdict, (finding,), level=settings.level, seed=settings.seed)


def _child(connection: Connection, name: str, parcel: str | bytes, settings: Settings) -> None:
    """Send a sign of life, then an InvalidInput, or the seconds that the check may take and its report."""
    from specproof.conformance.report.finding import Verdict

    _limit_memory()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears it, and kills
    if hasattr(os, "setsid"):
        os.setsid()  # the processes that the function leaves behind can be killed with this one
        threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True, name=WORKER).start()
    connection.send(True)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    try:
        _check(connection, name, parcel, settings)
    except InvalidInput as error:
        _send_last(connection, error)
    except BaseException as error:  # what the function raises when it is called is a finding of the check
        text = (
            f"the check broke off outside the function ({one_line(error)}): call check_sampler in Python to see where"
        )
        _send_last(connection, _ended(text, name, settings, Verdict.INCONCLUSIVE))
    os._exit(0)  # whatever threads it has left


def _send_last(connection: Connection, answer: InvalidInput | Report) -> None:
    try:
        connection.send(answer)
    except OSError:  # closed by the function
        os._exit(WITHOUT_PIPE)


def _check(connection: Connection, name: str, parcel: str | bytes, settings: Settings) -> None:
    from specproof.conformance.stages.whole_check import run_check

    _end_after(IMPORT_LIMIT)
    sampler = _loaded(parcel) if isinstance(parcel, str) else _unpickled(name, parcel)
    budget = settings.budget
    limit = budget.first_call + budget.seconds + max(SLACK, budget.seconds / 2)
    _end_after(limit)
    connection.send(limit)
    connection.send(run_check(sampler, name, settings))


def _limit_memory() -> None:
    """Let a function that allocates without end run into a MemoryError before its machine runs out of memory."""
    with contextlib.suppress(ImportError, OSError, ValueError):  # not every system has limits
        import resource

        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (int(MEMORY * memory), hard))


def _loaded(name: str) -> Sampler:
    module = name.rpartition(":")[0]
    if module:  # what the function imports when it is called lies where its module's imports do
        extend_path(find_source(module))
    try:
        return load_function(name)
    except KeyboardInterrupt:  # its own: the user's goes to the parent
        raise InvalidInput(f"{module} cannot be imported (KeyboardInterrupt): import it in Python to see why") from None


def _unpickled(name: str, parcel: bytes) -> Sampler:
    try:
        sampler: Sampler = pickle.loads(parcel)
    except BaseException as error:  # its module is imported on the way
        raise InvalidInput(f"{name} cannot be found in a process of its own ({one_line(error)}): {REMEDY}") from None
    return sampler


def _end_with(parent: int) -> None:
    """End this session once the parent is gone: no signal that ends a terminal or a job is heard here."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os.killpg(0, signal.SIGKILL)


def _end_after(seconds: float) -> None:
    """End this process some time after it is late, should there be no parent any more to kill it.

    That works also while the interpreter's lock is never given back.
    """
    nowhere = os.open(os.devnull, os.O_WRONLY)  # left open: it is written to when the process ends
    faulthandler.dump_traceback_later(2 * seconds, exit=True, file=nowhere)
