"""The ways in which a stranger's function fails a call."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from specproof.theory.errors import InvalidInput

LARGEST_MESSAGE = 300
"""Longer messages of exceptions are cut off."""


class Failure(Exception):
    """The function broke its contract."""

    problem: str = ""
    """The name of the problem that it was asked, if it was a single one of the ladder."""


class Crash(Failure):
    """The function raised, or did not return in time."""


class Hang(Crash):
    """The function did not return in time."""


class Unsupported(InvalidInput):
    """For adapters to raise on a problem that what they adapt cannot be asked, such as a chain with memory.

    The problem is left out of the check and named in the report.

    Examples
    --------
    >>> from specproof.conformance import Unsupported
    >>> def verify(draft_probs, target_probs, draft_tokens, rng):
    ...     if draft_tokens.shape[1] > 1:
    ...         raise Unsupported("this kernel takes one draft")
    """


class Refusal(Crash):
    """The function raised :class:`Unsupported`."""


class InvalidOutput(Failure):
    """The function returned what its contract does not allow."""


@contextlib.contextmanager
def asked(problem: str) -> Iterator[None]:
    """Note the name of the problem on a failure."""
    try:
        yield
    except Failure as error:
        error.problem = problem
        raise


def memory_limit(error: BaseException) -> str:
    """Say how much the process may allocate, if that is limited and the error that memory ran out; else nothing."""
    with contextlib.suppress(ImportError):  # not every system has limits
        import resource

        limit, _ = resource.getrlimit(resource.RLIMIT_DATA)
        if isinstance(error, MemoryError) and limit != resource.RLIM_INFINITY:
            return f", where its process may allocate {limit / 2**30:.3g} GiB"
    return ""


def one_line(error: BaseException) -> str:
    r"""Name an exception and its message in one line, whatever a stranger made of either.

    Examples
    --------
    >>> one_line(ValueError("no\nluck"))
    'ValueError: no luck'
    """
    try:
        text = " ".join(str(error).split())
    except (Exception, SystemExit):
        text = "(its message cannot be read)"
    return f"{type(error).__name__}: {text[:LARGEST_MESSAGE]}" if text else type(error).__name__
