"""The run on a GPU where there is none: what it says, what it would run, and how it reports."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from benchmarks import gpu  # noqa: E402

FAKE = gpu.Machine("Fake 9000", "123.4", 80 * 2**30, {"Python": "3.11", "CUDA": "12.8", "torch": "2.0"})
ROOT = Path(__file__).parents[2]


def fail(*_: object) -> None:
    pytest.fail("nothing may be run here")


def test_without_a_device_it_says_so_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(gpu, "run", fail)
    assert gpu.main(tmp_path / "out", "rtn:4", 1, 1) == 2
    assert capsys.readouterr().err == "benchmarks.gpu: torch finds no CUDA device here: run this where there is one\n"
    assert list(tmp_path.iterdir()) == []


def test_a_pair_that_cannot_be_had_is_refused_before_anything_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(gpu, "this_machine", lambda: FAKE)
    monkeypatch.setattr(gpu, "run", fail)
    assert gpu.main(tmp_path / "out", "nothing", 1, 1) == 2
    assert capsys.readouterr().err.startswith("benchmarks.gpu: there is no model pair 'nothing'")


@pytest.mark.parametrize(("codes", "ends"), [((0, 0, 0), 0), ((0, 1, 0), 1), ((0, 0, None), 1)])
def test_every_step_is_run_and_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, codes: tuple[int | None, ...], ends: int
) -> None:
    left = list(codes)

    def stand_in(name: str, arguments: list[str], allowed: float, out: Path) -> gpu.Step:
        assert allowed == gpu.ALLOWED[name]
        return gpu.Step(name, " ".join(arguments), left.pop(0), 3.2, f"{name} prints\n")

    monkeypatch.setattr(gpu, "this_machine", lambda: FAKE)
    monkeypatch.setattr(gpu, "fetch_pair", lambda pair: None)
    monkeypatch.setattr(gpu, "run", stand_in)
    assert gpu.main(tmp_path / "out", "int8:bfloat16", 2, 8) == ends
    written = (tmp_path / "out" / "report.md").read_text()
    assert written.startswith("# On Fake 9000\n\nDriver 123.4, 80 GiB of memory; Python 3.11, CUDA 12.8, torch 2.0.\n")
    verdicts = ["cut off" if code is None else "failed with 1" if code else "passed" for code in codes]
    for name, verdict in zip(gpu.ALLOWED, verdicts, strict=True):
        assert f"| {name} | {verdict} | 3 |" in written
        assert f"```text\n{name} prints\n```" in written


def test_the_steps_are_the_tests_that_need_a_device_the_real_claims_and_the_speeds(tmp_path: Path) -> None:
    asked = gpu.steps(tmp_path, "int8:bfloat16", 2, 8)
    assert list(asked) == list(gpu.ALLOWED)
    assert sum(gpu.ALLOWED.values()) < 600
    assert asked["tests"][asked["tests"].index("pytest") + 1 :][3:5] == ["-m", "cuda"]
    assert {"real.block-efficiency", "real.acceptance", "yin2024.opt-uno"} <= set(asked["claims"])
    assert "--device cuda" in " ".join(asked["claims"])
    assert asked["speed"][:4] == ["-m", "benchmarks.speed", "--pair", "int8:bfloat16"]


def test_a_step_keeps_what_it_prints_and_is_cut_off_when_its_time_is_over(tmp_path: Path) -> None:
    ended = gpu.run("one", ["-c", "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"], 60, tmp_path)
    assert (ended.code, ended.verdict, sorted(ended.output.split())) == (3, "failed with 3", ["err", "out"])
    assert (tmp_path / "one.log").read_text() == ended.output
    endless = gpu.run("two", ["-c", "import time; print('begun'); time.sleep(60)"], 2, tmp_path)
    assert (endless.code, endless.verdict, endless.output) == (None, "cut off", "begun\n")
    assert endless.seconds < 30


def test_output_that_has_fences_stays_inside_its_own() -> None:
    written = gpu.report(FAKE, [gpu.Step("speed", "python", 0, 1.0, "```\nx\n```")])
    assert written.count("``````") == 2


def test_this_machine_is_described_by_torch_and_its_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    class Properties:
        name, total_memory = "Fake 9000", 2**30

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: Properties)

    def asked(arguments: Any, **_: Any) -> Any:
        assert arguments[0] == "nvidia-smi"
        return subprocess.CompletedProcess(arguments, 0, stdout="575.1\n575.1\n")

    monkeypatch.setattr(subprocess, "run", asked)
    machine = gpu.this_machine()
    assert (machine.device, machine.driver, machine.memory) == ("Fake 9000", "575.1", 2**30)
    assert machine.versions["Python"] == sys.version.split()[0]
    assert set(machine.versions) == {"Python", "CUDA", *gpu.PACKAGES}

    def absent(*_: Any, **__: Any) -> Any:
        raise FileNotFoundError

    monkeypatch.setattr(subprocess, "run", absent)
    assert gpu.driver() == "unknown"


def test_the_tests_that_need_a_device_are_marked() -> None:
    """A module that asks torch for a CUDA device to skip its tests marks them too, or the run would leave them out."""
    asking = [
        path.name
        for path in (ROOT / "tests").rglob("test_*.py")
        if "skipif(not torch.cuda.is_available()" in path.read_text() and "mark.cuda" not in path.read_text()
    ]
    assert [name for name in asking if name != Path(__file__).name] == []
