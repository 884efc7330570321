"""Products of small matrices, by one thread: several cost more processor time to wake than they save."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache

import threadpoolctl


def by_one_thread() -> AbstractContextManager[object]:
    """Let the libraries of linear algebra use one thread until the end of the context.

    The limit is the process's. A sampler is not called meanwhile, so that it has all the threads that it is used to.
    """
    limit: AbstractContextManager[object] = _libraries().limit(limits=1, user_api="blas")
    return limit


@cache
def _libraries() -> threadpoolctl.ThreadpoolController:
    """Find the libraries once: NumPy's and SciPy's are loaded before the first product, and to look takes a while."""
    return threadpoolctl.ThreadpoolController()
