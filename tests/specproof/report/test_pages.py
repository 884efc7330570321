"""What stands on the pages of a run, a plan and a check, read as text: escaped, self-contained, and complete."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import example_pages
import pytest
from example_pages import HOSTILE, MANIFEST

from specproof.conformance.report.check_result import Diagnosis
from specproof.conformance.report.finding import Detector, Finding, Verdict
from specproof.figures.style import as_svg, new_figure, styled
from specproof.report.check_page import check_page
from specproof.report.data_table import MOST_ROWS
from specproof.report.formula import mathml
from specproof.report.inline_svg import inline_svg
from specproof.report.plan_page import plan_page
from specproof.report.run_page import command_for
from specproof.simulations.claims.registry import CLAIMS
from specproof.theory.errors import InvalidInput


class Read(HTMLParser):
    """The elements of a page, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def values(self, name: str) -> Iterator[str]:
        return (value for _, attributes in self.elements if (value := attributes.get(name)) is not None)


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return {
        "run": example_pages.run(tmp_path_factory.mktemp("run")),
        "plan": example_pages.plan(),
        "check": example_pages.check(),
    }


@pytest.fixture(params=["run", "plan", "check"])
def page(request: pytest.FixtureRequest, pages: dict[str, str]) -> str:
    return pages[request.param]


def test_a_page_fetches_nothing(page: str) -> None:
    read = Read(page)
    assert [value for name in ("src", "srcset", "data", "action") for value in read.values(name)] == []
    assert all(value.startswith(("#", "data:")) for value in read.values("href"))
    assert "@import" not in page
    assert re.findall(r"url\((?!#)", page) == []


def test_ids_are_used_once_and_every_link_leads_to_one(page: str) -> None:
    read = Read(page)
    ids = list(read.values("id"))
    assert len(ids) == len(set(ids))
    assert {value[1:] for value in read.values("href") if value.startswith("#")} <= set(ids)
    assert set(re.findall(r"url\(#([^)]*)\)", page)) <= set(ids)


def test_tables_have_captions_and_headings_with_a_scope(page: str) -> None:
    read = Read(page)
    kinds = [tag for tag, _ in read.elements]
    assert kinds.count("table") == kinds.count("caption") > 0
    assert all(attributes.get("scope") in ("col", "row") for tag, attributes in read.elements if tag == "th")
    assert kinds.count("h1") == 1
    assert all(attributes.get("aria-label") for tag, attributes in read.elements if tag == "svg")


def test_a_run_says_what_speaks_against_and_what_would_decide(pages: dict[str, str]) -> None:
    text = " ".join(Read(pages["run"]).text.split())
    assert "Evidence speaks against 1 of 2 claims" in text
    assert "Refuted: a.first, another exact (): exact 2, estimate 1" in text
    assert text.count("some 9 times as many trials, as --full has more") == 2  # (0.3 / 0.1) ** 2
    assert "specproof reproduce figure.line --seed 7" in text
    assert f"{300 - MOST_ROWS} more are in the file" in text


def test_controls_stand_below_what_they_control(pages: dict[str, str]) -> None:
    rows = re.findall(r'<tr(?: class="(control)")? data-verdict="(\w+)" data-state="(\w+)"', pages["run"])
    assert rows == [
        ("", "holds", "good"),
        ("", "refuted", "bad"),
        ("", "consistent", "good"),
        ("control", "refuted", "good"),
        ("", "inconclusive", "open"),
        ("control", "inconclusive", "open"),
    ]


def test_names_and_messages_cannot_become_markup(pages: dict[str, str]) -> None:
    trace, made = example_pages.planned()
    report = example_pages.checked()
    found = (Finding(Verdict.BIASED, Detector.LAW, HOSTILE, HOSTILE),)
    hostile = [
        pages["run"],
        check_page(replace(report, subject=HOSTILE, findings=found, notes=(HOSTILE,), hardest=HOSTILE)),
        plan_page(made, replace(trace.header, models=HOSTILE), ["specproof", HOSTILE]),
    ]
    for page in hostile:
        elements = Read(page).elements
        assert [tag for tag, _ in elements].count("script") == 1
        assert not any(tag == "img" or "onerror" in attributes for tag, attributes in elements)
        assert "window.hurt" in page


def test_a_check_shows_the_instance_and_how_to_go_on(pages: dict[str, str]) -> None:
    report = example_pages.checked()
    assert report.instance is not None
    assert report.diagnosis is not None
    text = Read(pages["check"]).text
    for said in (report.verdict, report.instance.title, report.diagnosis.title, "specproof check", "--seed 0"):
        assert str(said) in text
    for outcome, expected in report.instance.expected.items():
        assert outcome in text
        assert f"{expected:.4f}" in text


def test_a_lossless_sampler_is_told_what_could_have_escaped() -> None:
    report = replace(example_pages.checked(), verdict=Verdict.LOSSLESS, findings=(), instance=None, diagnosis=None)
    text = Read(check_page(report)).text
    assert "What could have escaped" in text
    assert "Failing instance" not in text


def test_a_check_says_which_defects_too_few_trials_leave_open() -> None:
    open_still = Diagnosis("", "", 0.5, (), 8, ("always", "never"))
    text = Read(check_page(replace(example_pages.checked(), diagnosis=open_still))).text
    assert "The trials are too few to name a defect; not excluded: always, never." in text


def test_a_plan_shows_every_configuration_with_its_interval(pages: dict[str, str]) -> None:
    _, made = example_pages.planned()
    assert pages["plan"].count("<tr data-verdict=") == len(made.rows)
    best = made.rows[0].speed
    assert f"{best.estimate:.3f} [{best.low:.3f}, {best.high:.3f}]" in pages["plan"]
    assert "--cost 0.05" in pages["plan"]


def test_pages_are_small(pages: dict[str, str]) -> None:
    assert len(pages["run"]) < 300_000


@pytest.mark.slow
def test_pages_are_quick(tmp_path: Path) -> None:
    example_pages.run(tmp_path)  # what is loaded once is loaded
    start = time.perf_counter()
    example_pages.run(tmp_path)
    assert time.perf_counter() - start < 5.0


def test_commands_name_what_is_not_usual() -> None:
    settings = {**MANIFEST["settings"], "scale": "full", "seed": 0, "pair": "hf:a b,c", "draft_length": 2}
    own = [{"source": "my rules.py", "claims": [], "figures": []}]
    words = command_for({"settings": settings, "own": own}, ["a.first"])
    assert words == ("specproof reproduce a.first --plugin 'my rules.py' --full --pair 'hf:a b,c' --draft-length 2")


@pytest.mark.parametrize("claim", [claim for claim in CLAIMS if claim.formula], ids=lambda claim: claim.id)
def test_formulas_of_claims_are_mathematics(claim: Any) -> None:
    assert mathml(claim.formula).startswith("<math ")


@pytest.mark.parametrize(
    "latex", [r"\frac{", r"\text{<b>x</b>}", r"\href{javascript:alert(1)}{x}", r"\style{color:red}{x}"]
)
def test_what_is_no_mathematics_is_shown_as_it_is_written(latex: str) -> None:
    shown = mathml(latex)
    assert shown.startswith("<code>")
    assert "<b>" not in shown


def test_figures_of_one_page_share_no_ids() -> None:
    figure = new_figure()
    figure.subplots().plot([0, 1], [0, 1], marker="o")
    with styled():
        drawn = as_svg(figure)
    one, other = (set(Read(inline_svg(drawn, name, "A line.")).values("id")) for name in ("one", "other"))
    assert one
    assert not one & other


def test_a_figure_leaves_out_what_no_reader_sees_and_keeps_the_rest() -> None:
    figure = new_figure()
    axes = figure.subplots()
    axes.imshow([[0.0, 1.0], [0.25, 0.75]])
    axes.set_title(r"law of $\alpha$")
    for place in range(100):
        axes.text(place % 10 / 10, place // 10 / 10, f"cell {place}")
    with styled():
        drawn = as_svg(figure)
    shown = inline_svg(drawn, "map", "A map.")
    assert len(shown) < 0.55 * len(drawn)
    read, file = Read(shown), Read(drawn)
    assert re.findall(r"cell \d+", read.text) == [f"cell {place}" for place in range(100)]
    assert [tag for tag, _ in read.elements].count("image") == 1
    drawn_kinds = ("path", "use", "text", "rect")
    assert [tag for tag, _ in read.elements if tag in drawn_kinds] == [
        tag for tag, _ in file.elements if tag in drawn_kinds
    ]


@pytest.mark.parametrize("command", ["plan", "check"])
def test_a_page_that_cannot_be_written_is_told(command: str, tmp_path: Path) -> None:
    from specproof.report.page import write_page

    (tmp_path / "page.html").mkdir()
    with pytest.raises(InvalidInput, match="cannot write"):
        write_page(tmp_path / "page.html", command)


def test_notebooks_show_findings_plans_and_reports_escaped() -> None:
    _, made = example_pages.planned()
    report = replace(example_pages.checked(), subject=HOSTILE)
    for result in (*example_pages.findings(), made, report):
        shown = result._repr_html_()
        assert [tag for tag, _ in Read(shown).elements][:2] == ["table", "caption"]
        assert "<script" not in shown
    assert made.recommendation() in Read(made._repr_html_()).text
