"""What a function leaves changed around it is put back, and told."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from check_budgets import QUICK

from specproof.conformance import check_sampler
from specproof.conformance.references import select


def single(draft_probs: Any, target_probs: Any, draft_tokens: Any, rng: Any) -> Any:
    return select("single", draft_probs, target_probs, draft_tokens, rng)


def test_folder_environment_and_settings_are_put_back_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LEFT_BEHIND", raising=False)
    searched = os.environ["PATH"]
    here, path, deepest = Path.cwd(), sys.path.copy(), sys.getrecursionlimit()

    def moves(*arguments: Any) -> Any:
        os.chdir(tmp_path)
        os.environ["LEFT_BEHIND"] = "1"
        os.environ.pop("PATH", None)
        sys.path.insert(0, "nowhere")
        sys.setrecursionlimit(deepest + 1)
        return single(*arguments)

    report = check_sampler(moves, "multi", budget=QUICK, problem="three tokens, k = 1")
    assert Path.cwd() == here
    assert "LEFT_BEHIND" not in os.environ
    assert os.environ["PATH"] == searched
    assert (sys.path, sys.getrecursionlimit()) == (path, deepest)
    changed = "the working folder, the environment, the path of imports and the limit of recursion"
    assert f"it changes {changed}, which was put back after each call" in report.notes


@pytest.mark.parametrize(("number", "said"), [(1, "1 is"), (3, "3 are")])
def test_threads_that_are_left_behind_are_counted(number: int, said: str) -> None:
    ready, started = threading.Event(), []

    def spawns(*arguments: Any) -> Any:
        if len(started) < number:
            started.append(threading.Thread(target=ready.wait, args=(30.0,), daemon=True))
            started[-1].start()
        return single(*arguments)

    try:
        report = check_sampler(spawns, "multi", budget=QUICK, problem="three tokens, k = 1")
    finally:
        ready.set()
        for thread in started:
            thread.join()
    assert f"it leaves threads behind: {said} still alive after its calls" in report.notes
