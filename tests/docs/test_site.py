"""The documentation site: what is written from registries is whole, pictures are there, and all of it builds."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import headless
import pytest

from specproof.figures.registry import FIGURES
from specproof.simulations.claims.registry import CLAIMS
from specproof.theory.trees.rules import TREE_VERIFIERS

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def extension() -> Iterator[Callable[[str], Any]]:
    """What imports an extension of the site."""
    sys.path.insert(0, str(DOCS / "extensions"))
    yield importlib.import_module
    sys.path.remove(str(DOCS / "extensions"))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory, extension: Callable[[str], Any]) -> Path:
    """The folder of the pages that are written when the site is built."""
    pytest.importorskip("torch")  # specproof.transformers is among the public modules
    pytest.importorskip("transformers")
    folder = tmp_path_factory.mktemp("site") / "written"
    extension("written").write_pages(folder)
    return folder


def test_every_figure_has_its_tables_and_no_table_is_left_over(extension: Callable[[str], Any]) -> None:
    gallery = extension("gallery")
    kept = {path for figure in FIGURES for path in gallery.files(figure, gallery.KEPT)}
    assert kept == set(gallery.KEPT.iterdir()), "run make gallery"


def test_a_figure_of_the_gallery_is_drawn(extension: Callable[[str], Any], tmp_path: Path) -> None:
    gallery = extension("gallery")
    figure = next(figure for figure in FIGURES if figure.id == "figure.pareto")
    gallery.draw(figure, tmp_path)
    assert (tmp_path / "pareto.png").read_bytes().startswith(b"\x89PNG")


def test_every_public_name_is_in_the_reference(written: Path) -> None:
    for page in (written / "api").glob("*.md"):
        names = set(importlib.import_module(page.stem).__all__)
        if page.stem == "specproof":
            names = {"assert_lossless", "check_sampler"}
        told = rf"^(?:\.\. auto\w+:: |``){re.escape(page.stem)}\.(\w+)(?:$|`` is :py:obj:)"
        assert set(re.findall(told, page.read_text(), re.MULTILINE)) == names
    assert len(list((written / "api").iterdir())) == 7


def test_every_claim_and_figure_has_its_statement_and_command(written: Path) -> None:
    for page, items in (("claims", CLAIMS), ("gallery", FIGURES)):
        text = (written / f"{page}.md").read_text()
        assert re.findall(r"^## (.*)$", text, re.MULTILINE) == [item.id for item in items]
        assert all(f"specproof reproduce {item.id}\n" in text for item in items)


def test_rules_for_trees_and_what_is_optimal_of_them_are_listed(written: Path) -> None:
    text = (written / "trees.md").read_text()
    assert all(f"| `{name}` |" in text for name in TREE_VERIFIERS)
    assert "| no | K = 2, p = (2/3, 2/3), q = (2/3, 1/3) | 145/81 | 17/9 |" in text


def test_every_page_is_in_the_table_of_contents() -> None:
    listed = set(re.findall(r"^([\w/.-]+)$", (DOCS / "index.md").read_text(encoding="utf-8"), re.MULTILINE))
    pages = {page.relative_to(DOCS).with_suffix("").as_posix() for page in DOCS.rglob("*.md")} - {"index"}
    assert {page for page in pages if not page.startswith(("written/", "audit/"))} <= listed
    assert "\naudit/*\n" in (DOCS / "audit.md").read_text(encoding="utf-8")  # all pages of subjects


PAGES = sorted(page for page in DOCS.rglob("*.md") if page.parent.parent.name != "written" != page.parent.name)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_to_pages_that_are_there(page: Path) -> None:
    """But for those that the build writes, which it looks for itself."""
    named = re.findall(r"\]\(([\w/.-]+\.md)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    kept = [page.parent / name for name in named if "written" not in Path(name).parts]
    assert [name for name in kept if not name.exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_pictures_and_files_are_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = re.findall(r"!\[[^\]]*\]\(([^)]*)\)", text) + re.findall(r"\{literalinclude\} (\S+)", text)
    assert [name for name in named if not (page.parent / name).stat().st_size] == []


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as ``make docs`` builds it."""
    folder = tmp_path_factory.mktemp("built")
    words = ["-m", "sphinx", "-b", "html", "-W", "-q", "-d", folder / "parts", DOCS, folder / "site"]
    done = subprocess.run([sys.executable, *map(str, words)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder / "site"


@pytest.mark.slow
def test_the_site_builds_without_a_warning_and_leads_everywhere(site: Path) -> None:
    first = (site / "index.html").read_text(encoding="utf-8")
    pages = {page.relative_to(site).as_posix() for page in site.rglob("*.html") if "_static" not in page.parts}
    assert pages - {"index.html", "search.html", "genindex.html", "py-modindex.html"} <= set(
        re.findall(r'href="([^"#]+)"', first)
    )


@pytest.mark.slow
@pytest.mark.skipif(bool(headless.missing()), reason=headless.missing() or "there is a browser")
def test_the_search_works_from_disk(site: Path) -> None:
    from selenium.webdriver.support.ui import WebDriverWait

    with headless.browser() as driver:
        driver.get(f"{(site / 'search.html').as_uri()}?q=priority+coupling")
        found = "#search-results li a"
        WebDriverWait(driver, 20).until(lambda _: driver.find_elements("css selector", found))
        titles = [link.text for link in driver.find_elements("css selector", found)]
        assert any("Priority coupling" in title for title in titles)
        assert driver.get_log("browser") == []
