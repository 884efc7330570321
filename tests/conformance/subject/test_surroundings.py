"""What a function leaves changed around it is put back, and told."""

from __future__ import annotations

import logging
import os
import subprocess
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


def test_processes_that_are_left_behind_are_counted() -> None:
    started: list[subprocess.Popen[bytes]] = []

    def spawns(*arguments: Any) -> Any:
        if len(started) < 2:
            started.append(subprocess.Popen(["sleep", "30"]))
            subprocess.run(["true"], check=True)
        return single(*arguments)

    try:
        report = check_sampler(spawns, "multi", budget=QUICK, problem="three tokens, k = 1")
    finally:
        for process in started:
            process.kill()
            process.wait()
    assert "it leaves processes behind: 2 still run or were never waited for" in report.notes


def test_handlers_of_logs_are_taken_off_the_root_again_and_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(logging.root, "handlers", [])

    def logs(*arguments: Any) -> Any:
        logging.warning("drafts")
        return single(*arguments)

    report = check_sampler(logs, "multi", budget=QUICK, problem="three tokens, k = 1")
    assert logging.root.handlers == []
    assert "it changes the root logger, which was put back after each call" in report.notes
    line = "WARNING:root:drafts"
    told = f"it prints {report.calls * (len(line) + 1)} bytes, the first of them: {line}"
    assert told in report.notes
    assert capsys.readouterr() == ("", "")
