"""What is shipped: one name, with its data, and nothing beside it."""

from __future__ import annotations

import re
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import specproof

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))
LOCK = Path(__file__).parents[2] / "requirements.lock"


pytestmark = pytest.mark.xdist_group("packaging")  # one worker builds, for all of these


def modules(folder: Path) -> set[str]:
    """The Python files below a folder, links followed, as the wheel should hold them."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*.py")}


def test_the_wheel_holds_one_package_with_its_data_and_metadata(wheel: Path, checkout: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    metadata = f"specproof-{specproof.__version__}.dist-info"
    assert {name.partition("/")[0] for name in names} == {"specproof", metadata}
    data = {"specproof/py.typed", "specproof/simulations/language_models/prompts.jsonl"}
    assert data <= set(names)
    linked = ("theory", "simulations", "figures")
    expected = {f"specproof/{name}/{path}" for name in linked for path in modules(checkout / name)}
    expected |= {f"specproof/{path}" for path in modules(checkout / "src" / "specproof")}
    assert {name for name in names if name.endswith(".py")} == expected


def test_the_source_distribution_holds_no_audit_no_benchmarks_no_tests(sdist: Path) -> None:
    root = f"specproof-{specproof.__version__}"
    with tarfile.open(sdist) as archive:
        members = archive.getmembers()
    names = {Path(member.name).relative_to(root).as_posix() for member in members if member.isfile()}
    assert all(member.isfile() or member.isdir() for member in members)  # files in place of the links
    outside = {name for name in names if not name.startswith(("src/specproof/", "src/specproof.egg-info/"))}
    assert outside == {"LICENSE", "PKG-INFO", "README.md", "pyproject.toml", "setup.cfg"}


def test_nothing_that_finds_files_by_version_control_takes_part_in_the_build() -> None:
    """It would ship whatever is committed."""
    assert PROJECT["build-system"] == {"requires": ["setuptools>=77"], "build-backend": "setuptools.build_meta"}


def test_the_lock_pins_what_the_project_asks_for() -> None:
    pinned = dict(line.lower().split("==") for line in LOCK.read_text().split())
    project, groups = PROJECT["project"], PROJECT["dependency-groups"]
    asked = [*project["dependencies"], *(name for extra in project["optional-dependencies"].values() for name in extra)]
    asked += [name for group in groups.values() for name in group if isinstance(name, str)]
    for requirement in map(Requirement, asked):
        name = re.sub(r"[-_.]+", "-", requirement.name.lower())
        assert requirement.specifier.contains(pinned[name]), requirement


def test_the_citation_is_of_this_version() -> None:
    citation = (Path(__file__).parents[2] / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {specproof.__version__}\n" in citation
