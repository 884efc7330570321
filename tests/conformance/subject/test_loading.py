"""Finding a stranger's function: by its module, and by the path of its file as its own repository would import it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from specproof.conformance.references import token_by_token
from specproof.conformance.subject.loading import load_function
from specproof.theory.errors import InvalidInput


@pytest.fixture(autouse=True)
def _forget_modules() -> Iterator[None]:
    """Let every test import modules of the same names from its own folder."""
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if not name.startswith("specproof"):
            del sys.modules[name]


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


ABSOLUTE = "from my_engine.kernels import ANSWER\ndef verify(*_):\n    return ANSWER\n"
RELATIVE = "from .kernels import ANSWER\ndef verify(*_):\n    return ANSWER\n"
LATER = "def verify(*_):\n    from .kernels import ANSWER\n    return ANSWER\n"
PACKAGE = {"my_engine/__init__.py": "", "my_engine/kernels.py": "ANSWER = 42\n"}


def test_a_function_is_found_in_a_module() -> None:
    assert load_function("specproof.conformance.references:token_by_token") is token_by_token


def test_a_function_is_found_in_a_file_next_to_what_it_imports(tmp_path: Path) -> None:
    text = "from neighbour_of_a_subject import ANSWER\nclass Kit:\n    verify = staticmethod(lambda: ANSWER)\n"
    write(tmp_path, {"neighbour_of_a_subject.py": "ANSWER = 42", "subject_of_a_test.py": text})
    assert load_function(f"{tmp_path}/subject_of_a_test.py:Kit.verify")() == 42
    assert str(tmp_path) not in sys.path


@pytest.mark.parametrize("text", [ABSOLUTE, RELATIVE, LATER], ids=["absolute", "relative", "relative, when called"])
@pytest.mark.parametrize("start", [".", "my_engine", ".."], ids=["from the root", "from inside", "from outside"])
def test_a_file_in_a_package_imports_as_its_repository_would(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, start: str
) -> None:
    root = tmp_path / "repository"
    write(root, {**PACKAGE, "my_engine/sampler.py": text})
    monkeypatch.chdir(root / start)
    path = {".": "my_engine/sampler.py", "my_engine": "sampler.py", "..": "repository/my_engine/sampler.py"}[start]
    assert load_function(f"{path}:verify")() == 42
    assert load_function(f"{root}/my_engine/sampler.py:verify")() == 42


def test_a_package_in_a_package_is_imported_from_its_top(tmp_path: Path) -> None:
    files = {"my_engine/rules/__init__.py": "", "my_engine/rules/chain.py": "from ..kernels import ANSWER\n"}
    write(tmp_path, {**PACKAGE, **files, "my_engine/rules/sampler.py": RELATIVE.replace(".kernels", ".chain")})
    verify = load_function(f"{tmp_path}/my_engine/rules/sampler.py:verify")
    assert (verify(), verify.__module__) == (42, "my_engine.rules.sampler")


def test_a_file_in_a_package_finds_what_lies_beside_it_as_a_script_does(tmp_path: Path) -> None:
    write(tmp_path, {**PACKAGE, "my_engine/sampler.py": ABSOLUTE.replace("my_engine.kernels", "kernels")})
    assert load_function(f"{tmp_path}/my_engine/sampler.py:verify")() == 42


@pytest.mark.parametrize("text", [ABSOLUTE, RELATIVE], ids=["absolute", "relative"])
@pytest.mark.parametrize("marker", ["pyproject.toml", ".git/HEAD", None])
@pytest.mark.parametrize("below", ["", "src/"])
def test_a_folder_without_init_is_imported_from_the_root_of_its_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, marker: str | None, below: str
) -> None:
    root = tmp_path / "repository"
    write(root, {f"{below}my_engine/kernels.py": "ANSWER = 42\n", f"{below}my_engine/sampler.py": text})
    if marker:
        write(root, {marker: ""})  # found from anywhere
    else:
        monkeypatch.chdir(root / below)
    assert load_function(f"{root}/{below}my_engine/sampler.py:verify")() == 42


def test_folders_of_our_own_names_are_the_repository_s(tmp_path: Path) -> None:
    """In a process of its own: here these may be anybody's."""
    names = ("simulations", "theory", "figures")
    imports = "".join(f"from {name} import MINE as {name}\n" for name in names)
    text = f"{imports}def verify(*_):\n    return {', '.join(names)}\n"
    write(tmp_path, {**{f"{name}/__init__.py": f"MINE = {name!r}\n" for name in names}, "theory/sampler.py": text})
    write(tmp_path, {"my_engine/__init__.py": "", "my_engine/sampler.py": text})
    code = (
        "from specproof.conformance.subject.loading import load_function\n"
        "for path in ('theory/sampler.py', 'my_engine/sampler.py'):\n"
        "    print(*load_function(f'{path}:verify')())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("simulations theory figures\n" * 2, "")


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (
            {**PACKAGE, "my_engine/sampler.py": "import numpy\nfrom no_such_thing import x\n"},
            "(ModuleNotFoundError: No module named 'no_such_thing' by 'from no_such_thing import x' at "
            "my_engine/sampler.py:2)",
        ),
        (
            {**PACKAGE, "my_engine/kernels.py": "\nimport no_such_thing\n", "my_engine/sampler.py": RELATIVE},
            "No module named 'no_such_thing' by 'import no_such_thing' at my_engine/kernels.py:2)",
        ),
        (
            {**PACKAGE, "my_engine/kernels.py": "ANSWERS = 1\n", "my_engine/sampler.py": RELATIVE},
            "by 'from .kernels import ANSWER' at my_engine/sampler.py:1)",
        ),
        (
            {**PACKAGE, "my_engine/__init__.py": "import no_such_thing\n", "my_engine/sampler.py": RELATIVE},
            "by 'import no_such_thing' at my_engine/__init__.py:1)",
        ),
        (
            {**PACKAGE, "my_engine/kernels.py": "def (:\n", "my_engine/sampler.py": RELATIVE},
            "at my_engine/kernels.py:1)",
        ),
        (
            {"my_engine/sampler.py": "x = 1\n1 / 0\n"},
            "ZeroDivisionError: division by zero by '1 / 0' at my_engine/sampler.py:2)",
        ),
    ],
    ids=["module", "module of a module", "name", "package", "syntax", "anything"],
)
def test_the_import_that_failed_is_named_with_its_file_and_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], said: str
) -> None:
    write(tmp_path, files)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidInput) as raised:
        load_function("my_engine/sampler.py:verify")
    message = str(raised.value)
    assert message.startswith("my_engine/sampler.py cannot be imported (")
    assert said in message
    assert "\n" not in message


def test_a_package_that_hides_behind_another_is_told_so(tmp_path: Path) -> None:
    write(tmp_path, {"json/__init__.py": "", "json/decoder.py": "def verify(*_): ...\n"})
    with pytest.raises(
        InvalidInput, match=r"is not what 'import json\.decoder' finds, which is .*: rename its package"
    ):
        load_function(f"{tmp_path}/json/decoder.py:verify")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("verify", "does not name a function"),
        (":verify", "does not name a function"),
        ("{folder}/subject_of_a_test.py:", "does not name a function"),
        ("{folder}/subject_of_a_test.py:nothing", "has no 'nothing'"),
        ("{folder}/subject_of_a_test.py:NUMBER", "is a int"),
        ("{folder}/missing.py:verify", "is not a file"),
        ("no_such_module_anywhere:verify", "No module named"),
        ("{folder}/broken_subject.py:verify", "SyntaxError"),
        ("{folder}/quitting_subject.py:verify", "SystemExit"),
        ("specproof.conformance.subject.sampler_under_test:Subject.call", "is a method: name one of an instance"),
    ],
)
def test_what_is_no_function_is_one_line(tmp_path: Path, name: str, said: str) -> None:
    write(tmp_path, {"subject_of_a_test.py": "NUMBER = 1", "broken_subject.py": "def verify(:"})
    write(tmp_path, {"quitting_subject.py": "import sys\nsys.exit(1)"})
    with pytest.raises(InvalidInput, match=said) as raised:
        load_function(name.format(folder=tmp_path))
    assert "\n" not in str(raised.value)
