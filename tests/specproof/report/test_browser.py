"""Each kind of page in a real browser: filtered, sorted, its links followed, its colours switched, no error told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import example_pages
import headless
import pytest

pytestmark = [
    pytest.mark.skipif(bool(headless.missing()), reason=headless.missing() or "there is a browser"),
    pytest.mark.xdist_group("browser"),  # one session for all of these
]

KINDS = ("run", "plan", "check")


@pytest.fixture(scope="module")
def driver() -> Iterator[Any]:
    with headless.browser() as driver:
        yield driver


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a page of each kind."""
    folder = tmp_path_factory.mktemp("pages")
    makers = {"run": lambda: example_pages.run(folder), "plan": example_pages.plan, "check": example_pages.check}
    for kind in KINDS:
        (folder / f"{kind}.html").write_text(makers[kind](), encoding="utf-8")
    return folder


@pytest.fixture
def opened(driver: Any, folder: Path) -> Iterator[Callable[..., Any]]:
    """Open a page; at the end the browser must have had nothing to complain of."""

    def open_page(kind: str, width: int = 1200, *, dark: bool = False) -> Any:
        headless.resize(driver, width, 900, dark=dark)
        headless.open_file(driver, folder / f"{kind}.html")
        driver.execute_script("localStorage.clear()")
        driver.refresh()
        return driver

    yield open_page
    assert driver.get_log("browser") == []
    assert driver.execute_script("return window.hurt === undefined")


def texts(driver: Any, selector: str) -> list[str]:
    found: list[str] = driver.execute_script(
        "return [...document.querySelectorAll(arguments[0])].map((one) => one.textContent)", selector
    )
    return found


def click(driver: Any, selector: str) -> None:
    driver.find_element("css selector", selector).click()


def choose(driver: Any, selector: str, value: str) -> None:
    chosen = "const one = document.querySelector(arguments[0]); one.value = arguments[1];"
    driver.execute_script(f"{chosen} one.dispatchEvent(new Event('input', {{bubbles: true}}))", selector, value)


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=() if kind == "check" else pytest.mark.slow) for kind in KINDS]
)
def test_every_link_leads_to_something_that_is_seen(opened: Callable[..., Any], kind: str) -> None:
    driver = opened(kind)
    links = driver.execute_script("return [...document.querySelectorAll('a[href^=\"#\"]')].map((a) => a.hash)")
    assert links
    for link in dict.fromkeys(links):
        driver.execute_script("location.hash = arguments[0]", link)
        seen = "const one = document.getElementById(arguments[0].slice(1)); return one && one.checkVisibility()"
        assert driver.execute_script(seen, link), link


@pytest.mark.parametrize("kind", KINDS)
def test_the_button_switches_the_colours_and_is_remembered(opened: Callable[..., Any], kind: str) -> None:
    driver = opened(kind, dark=True)
    colour = "return getComputedStyle(document.body).backgroundColor"
    dark = driver.execute_script(colour)
    click(driver, "#theme")
    light = driver.execute_script(colour)
    assert (dark, light) == ("rgb(20, 24, 29)", "rgb(255, 255, 255)")
    driver.refresh()
    assert driver.execute_script(colour) == light


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("width", [360, 1200])
def test_nothing_is_wider_than_the_window(opened: Callable[..., Any], kind: str, width: int) -> None:
    driver = opened(kind, width)
    assert driver.execute_script("return document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("kind", KINDS)
def test_text_is_told_from_its_ground_in_both_colours(opened: Callable[..., Any], kind: str) -> None:
    """The contrast of what is faintest, as WCAG 2 computes it: 4.5 for text."""
    for dark in (False, True):
        driver = opened(kind, dark=dark)
        contrast = driver.execute_script(CONTRAST)
        assert min(contrast.values()) >= 4.5, (dark, contrast)


CONTRAST = """
const style = getComputedStyle(document.documentElement);
const shade = (name) => {
  const number = parseInt(style.getPropertyValue(name).trim().slice(1), 16);
  const part = (shift) => {
    const share = (number >> shift & 255) / 255;
    return share <= .03928 ? share / 12.92 : ((share + .055) / 1.055) ** 2.4;
  };
  return .2126 * part(16) + .7152 * part(8) + .0722 * part(0);
};
const ratio = (one, other) => {
  const [low, high] = [shade(one), shade(other)].sort((a, b) => a - b);
  return (high + .05) / (low + .05);
};
const pairs = [["--ink", "--paper"], ["--faint", "--paper"], ["--faint", "--tint"], ["--link", "--paper"],
  ...["good", "bad", "open"].map((state) => [`--${state}`, `--${state}-tint`])];
return Object.fromEntries(pairs.map(([a, b]) => [`${a} on ${b}`, ratio(a, b)]));
"""


def test_rows_are_filtered_by_verdict_kind_and_words(opened: Callable[..., Any]) -> None:
    driver = opened("run")
    shown = "tr[data-verdict]:not([hidden]) th"
    assert len(texts(driver, shown)) == 6
    assert texts(driver, "#filter-told") == ["6 of 6 rows"]
    driver.find_element("css selector", "#filter-words").send_keys("exact another")
    assert texts(driver, shown) == ["another exact"]
    assert texts(driver, "article.claim:not([hidden]) h3") == ["a.first"]
    click(driver, "#filters button")
    choose(driver, "#filter-verdict", "bad")
    assert texts(driver, shown) == ["another exact"]
    click(driver, "#filters button")
    choose(driver, "#filter-method", "negative control")
    assert len(texts(driver, shown)) == 2


@pytest.mark.parametrize(("kind", "table"), [("run", ".evidence"), ("plan", "#configurations ~ .scroll table")])
def test_columns_are_sorted_there_back_and_as_they_were(opened: Callable[..., Any], kind: str, table: str) -> None:
    driver = opened(kind)
    column = "exact" if kind == "run" else "cost of a call"
    place = 1 + texts(driver, f"{table} thead th").index(column)
    cells = f"{table} tbody tr > :nth-child({place})"
    heading = f"{table} thead th:nth-child({place})"
    rows = driver.execute_script("return document.querySelector(arguments[0]).tBodies[0].rows.length", table)
    written = texts(driver, cells)[:rows]
    orders = []
    for state in ("ascending", "descending", "none"):
        driver.execute_script("document.querySelector(arguments[0]).click()", f"{heading} button")
        assert driver.find_element("css selector", heading).get_attribute("aria-sort") == state
        orders.append([float(text) for text in texts(driver, cells)[:rows]])
    assert orders == [
        sorted(map(float, written)),
        sorted(map(float, written), reverse=True),
        list(map(float, written)),
    ]


def test_a_keyboard_reaches_the_content_first_and_can_sort(opened: Callable[..., Any]) -> None:
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    driver = opened("run")
    ActionChains(driver).send_keys(Keys.TAB).perform()
    assert driver.switch_to.active_element.text == "Skip to the content"
    driver.switch_to.active_element.send_keys(Keys.ENTER)
    driver.execute_script("document.querySelector('.evidence th button').focus()")
    driver.switch_to.active_element.send_keys(Keys.ENTER)
    heading = driver.find_element("css selector", ".evidence thead th")
    assert heading.get_attribute("aria-sort") == "ascending"


FOCUS = """
const one = document.activeElement;
const box = one.getBoundingClientRect();
const style = getComputedStyle(one);
const places = [...document.querySelectorAll("*")];
return {place: places.indexOf(one), ring: style.outlineStyle, width: parseFloat(style.outlineWidth),
  seen: box.width > 0 && box.right > 0 && box.bottom > 0 && box.top < innerHeight, what: one.outerHTML.slice(0, 80)};
"""


@pytest.mark.parametrize("kind", KINDS)
def test_the_tab_key_goes_down_the_page_and_shows_where_it_is(opened: Callable[..., Any], kind: str) -> None:
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    driver = opened(kind)
    reached = []
    for _ in range(15):
        ActionChains(driver).send_keys(Keys.TAB).perform()
        reached.append(driver.execute_script(FOCUS))
    places = [one["place"] for one in reached]
    assert places == sorted(set(places))
    assert [one["what"] for one in reached if not one["seen"] or one["ring"] == "none" or one["width"] < 2] == []


@pytest.mark.parametrize("kind", KINDS)
def test_what_can_be_pressed_or_filled_in_has_a_name(opened: Callable[..., Any], kind: str) -> None:
    driver = opened(kind)
    selector = "button, input, select, a[href], summary, [role=region], [role=search], nav, section, article, svg"
    names = [one.accessible_name for one in driver.find_elements("css selector", selector) if one.is_displayed()]
    assert names
    assert all(names)


def test_configurations_are_filtered_by_rule_and_words(opened: Callable[..., Any]) -> None:
    driver = opened("plan")
    shown = "tr[data-verdict]:not([hidden]) th"
    rules = texts(driver, shown)
    chosen = rules[-1]
    choose(driver, "#filter-method", chosen)
    assert texts(driver, shown) == [rule for rule in rules if rule == chosen]
    click(driver, "#filters button")
    driver.find_element("css selector", "#filter-words").send_keys("no such rule")
    assert texts(driver, shown) == []
    assert texts(driver, "#filter-told") == [f"0 of {len(rules)} rows"]


def test_a_figure_is_no_larger_than_it_was_drawn_on_a_telephone(opened: Callable[..., Any]) -> None:
    driver = opened("run", 360)
    wide = "const svg = document.querySelector('figure svg'); return [svg.getBoundingClientRect().width, "
    shown, whole = driver.execute_script(wide + "parseFloat(svg.style.getPropertyValue('--whole'))]")
    assert 360 < shown <= whole


@pytest.mark.slow
def test_a_printed_page_is_light_and_has_every_row(opened: Callable[..., Any]) -> None:
    driver = opened("run", dark=True)
    driver.execute_script("dispatchEvent(new Event('beforeprint'))")
    assert driver.execute_script("return [...document.querySelectorAll('details.rows')].every((part) => part.open)")
    preferred = [{"name": "prefers-color-scheme", "value": "dark"}]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print", "features": preferred})
    for theme in ("", "dark"):
        driver.execute_script("document.documentElement.dataset.theme = arguments[0]", theme)
        assert driver.execute_script("return getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert not driver.execute_script("return document.getElementById('filters').checkVisibility()")
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
