"""Files that are whole or not there."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from specproof.simulations.experiments.whole_files import (
    require_writable,
    require_writable_file,
    whole_file,
    write_text,
)
from specproof.theory.errors import InvalidInput


def test_what_is_written_takes_the_place_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "file.txt"
    for text in ("first", "second, longer", "3"):
        write_text(path, text)
        assert path.read_text() == text
    assert [item.name for item in path.parent.iterdir()] == ["file.txt"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


@pytest.mark.parametrize("error", [ValueError("bad"), KeyboardInterrupt(), OSError(errno.ENOSPC, "full")], ids=repr)
@pytest.mark.parametrize("before", [None, "old"])
def test_a_write_that_breaks_off_changes_nothing(tmp_path: Path, error: BaseException, before: str | None) -> None:
    path = tmp_path / "file.txt"
    if before is not None:
        path.write_text(before)
    expected = InvalidInput if isinstance(error, OSError) else type(error)

    def break_off() -> None:
        with whole_file(path) as temporary:
            temporary.write_text("half")
            raise error

    with pytest.raises(expected):
        break_off()
    assert [item.read_text() for item in tmp_path.iterdir()] == ([] if before is None else [before])


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS])
@pytest.mark.parametrize("step", ["mkdir", "touch", "fsync", "replace"])
def test_the_message_names_the_file_and_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, number: int
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    owner: Any = {"mkdir": Path, "touch": Path, "fsync": os, "replace": Path}[step]
    monkeypatch.setattr(owner, step, fail)
    path = tmp_path / "sub" / "file.txt"
    with pytest.raises(InvalidInput) as caught:
        write_text(path, "text")
    monkeypatch.undo()
    message = str(caught.value)
    full = number in (errno.ENOSPC, errno.EDQUOT)
    assert message.startswith(f"cannot write {path} ({os.strerror(number)}): ")
    assert message.endswith("finished cells are kept" if full else "choose a folder that can be written to")
    assert not [item for item in tmp_path.rglob("*") if item.is_file()]


def test_a_writable_folder_is_made_and_left_empty(tmp_path: Path) -> None:
    require_writable(tmp_path / "a" / "b")
    assert list((tmp_path / "a" / "b").iterdir()) == []


def test_a_file_in_the_way_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    for where in ("file", "file/below"):
        with pytest.raises(InvalidInput, match=f"cannot write to {tmp_path / where} "):
            require_writable(tmp_path / where)


@pytest.mark.parametrize("where", ["", ".", "/", "..", "folder"])
def test_a_folder_in_the_place_of_a_file_is_told(where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path)
    for ask in (require_writable_file, lambda path: write_text(path, "text")):
        with pytest.raises(InvalidInput, match=r"cannot write .*, which is a folder: give the path of a file"):
            ask(Path(where))


def test_a_file_that_can_be_written_is_not_made_by_asking(tmp_path: Path) -> None:
    require_writable_file(tmp_path / "a" / "page.html")
    assert list((tmp_path / "a").iterdir()) == []
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InvalidInput, match=f"cannot write to {tmp_path / 'file'} "):
        require_writable_file(tmp_path / "file" / "page.html")


def test_what_a_killed_run_left_is_gone_once_the_file_is_made(tmp_path: Path) -> None:
    (tmp_path / ".name.json.part").write_text("half")
    write_text(tmp_path / "name.json", "whole")
    assert [path.name for path in tmp_path.iterdir()] == ["name.json"]
    assert (tmp_path / "name.json").read_text() == "whole"
