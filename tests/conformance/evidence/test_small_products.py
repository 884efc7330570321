"""Products of a check use one thread, and leave the libraries with as many as they had."""

from __future__ import annotations

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from specproof.conformance.evidence import coupled_bets
from specproof.conformance.evidence.small_products import by_one_thread
from specproof.conformance.problems.ladder import ladder

pytestmark = pytest.mark.skipif(not threadpool_info(), reason="NumPy's linear algebra is of no library that is known")


def _threads() -> dict[str, int]:
    """Threads of every library that is loaded: a solver may have brought one that never has more than one thread."""
    return {each["filepath"]: each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"}


def test_the_limit_ends_with_its_context() -> None:
    with threadpool_limits(limits=2, user_api="blas"):
        before = _threads()
        assert 2 in before.values()
        with by_one_thread():
            assert set(_threads().values()) == {1}
        assert _threads() == before


def test_bets_are_learned_by_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    seen, solve = [], np.linalg.solve

    def counted(*arguments: object) -> object:
        seen.append(_threads())
        return solve(*arguments)  # type: ignore[call-overload]

    monkeypatch.setattr(np.linalg, "solve", counted)
    problem = next(each for each in ladder("chain").values() if each.draft_chances is not None)
    trials = np.zeros(2 * coupled_bets.FIRST_BLOCK, dtype=np.int64)
    with threadpool_limits(limits=2, user_api="blas"):
        before = _threads()
        assert 2 in before.values()
        coupled_bets.CoupledEvidence(problem).add(trials, trials)
        assert _threads() == before
    assert seen
    assert all(set(threads.values()) == {1} for threads in seen)
