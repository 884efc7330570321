from __future__ import annotations

import gc
import multiprocessing
import os
import signal
from collections.abc import Generator, Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import settings
from hypothesis.internal.conjecture import providers

# Every core has a worker, or will have: threads of the libraries would wait for each other, and burn what others need.
os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
# The same examples in every run, and nothing remembered on disk: a failure is the code's, never the seed's.
settings.register_profile("nightly", derandomize=True, database=None, deadline=None, max_examples=60)
settings.register_profile("gate", settings.get_profile("nightly"), max_examples=20)
settings.load_profile("nightly")
# Hypothesis also draws constants that it reads in the modules imported so far: those of other tests of this worker.
assert hasattr(providers, "_get_local_constants"), "this version of hypothesis names it otherwise"
providers._get_local_constants = providers.Constants

SLOW = pytest.StashKey[int]()
"""How many tests marked slow a run leaves out."""


def pytest_configure(config: pytest.Config) -> None:
    config.stash[SLOW] = 0
    settings.load_profile("gate" if config.option.markexpr == "not slow" else "nightly")


def pytest_deselected(items: Sequence[pytest.Item]) -> None:
    for item in items:
        item.config.stash[SLOW] += item.get_closest_marker("slow") is not None


def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["slow"] = session.config.stash[SLOW]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Hear from a worker, each of which has collected all tests."""
    node.config.stash[SLOW] = max(node.config.stash[SLOW], getattr(node, "workeroutput", {}).get("slow", 0))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if left_out := config.stash[SLOW]:
        terminalreporter.write_line(f"left out: {left_out} tests marked slow, which make test-all runs too")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Spare every full collection of garbage the look through what the modules load, which lives as long as the run."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()
        gc.set_threshold(20_000, 20, 20)  # what tests make is small and short-lived


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give a file to one worker, which makes what its tests share once, where no test names another group.

    Files come in their order, not by their numbers of tests as pytest-xdist would have them: those of ``theory``, which
    are many and short, are last, and no worker is left alone with a long one.
    """
    from xdist.scheduler import LoadGroupScheduling

    class ByFile(LoadGroupScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return super()._split_scope(nodeid).partition("::")[0]

    return ByFile(config, log)


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Interrupts are heard here and in what is started from here, even if this run was itself started deaf to them.

    A shell does that to what it puts in the background, and processes inherit it.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def forked_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fork the processes that checks have for themselves from one with the kit loaded, which takes most of their time.

    That a check starts its process from nothing is the matter of the tests that do without this.
    """
    from specproof.conformance.subject import isolation

    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["specproof.conformance.stages.whole_check", "specproof.conformance.references", "hypothesis", "scipy.stats"]
    )
    monkeypatch.setattr(isolation, "multiprocessing", SimpleNamespace(get_context=lambda method: context))
