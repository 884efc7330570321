"""The command ``specproof``: a file a command, put together in :mod:`specproof.cli.app`.

Nothing is imported here before :func:`main` is ready for an interrupt.
"""

import sys

EXIT_REFUTED, EXIT_USAGE, EXIT_INTERRUPTED = 1, 2, 130

KEPT = {"reproduce": "cells", "capture": "parts"}
"""What an interrupted command leaves behind to go on from."""


def main() -> None:
    """Run the command; whatever a user can cause ends in one line on stderr and an exit status."""
    try:
        status = _run()
    except KeyboardInterrupt:  # while modules are loaded; later on the command line's parser hears it
        status = EXIT_INTERRUPTED
    if status == EXIT_INTERRUPTED:
        kept = KEPT.get(sys.argv[1] if sys.argv[1:] else "")
        then = f"; finished {kept} are kept, and the same command goes on from them" if kept else ""
        print(f"specproof: interrupted{then}", file=sys.stderr)
    sys.exit(status)


def _run() -> int:
    try:
        from specproof.cli.app import run
        from specproof.theory.errors import InvalidInput

        try:
            return run()
        except InvalidInput as error:
            return _fail(str(error))
    except ModuleNotFoundError as error:
        if not _is_dependency(error):
            raise
        return _fail(f"the module {error.name} is missing: pip install specproof, without --no-deps, brings it")
    except MemoryError as error:
        why = f" ({error})" if str(error) else ""
        return _fail(f"out of memory{why}: ask for less at a time, or use a machine that has more")


def _is_dependency(error: ModuleNotFoundError) -> bool:
    """Whether a module of ours asked for one of another package: what a user's code asks for is not ours to bring."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    asker = trace.tb_frame.f_globals.get("__name__", "") if trace is not None else ""
    return asker.startswith("specproof.") and not (error.name or "specproof").startswith("specproof")


def _fail(message: str) -> int:
    print(f"specproof: error: {' '.join(message.splitlines())}", file=sys.stderr)
    return EXIT_USAGE
