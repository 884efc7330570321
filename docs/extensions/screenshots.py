"""Make the pictures of pages that the documentation shows: ``make screenshots``, with headless Chromium.

A run of a few claims, a plan and a check are made into ``build/pages``; finished cells of an earlier run are kept.
"""

import subprocess
import sys
from pathlib import Path

import headless

ROOT = Path(__file__).parents[2]
PAGES, IMAGES = ROOT / "build" / "pages", ROOT / "docs" / "images"

RUN = ("yin2024.theorem4", "spectr2023.uniform-example", "figure.pareto", "figure.priority-coupling", "figure.batch")
LOGS = "docs/tutorials/practitioner/logs.jsonl"
COMMANDS = (
    ("reproduce", *RUN, "--jobs", "1", "--out", "build/pages/run"),
    ("capture", "--logprobs", LOGS, "--out", "build/pages/trace.parquet"),
    ("plan", "build/pages/trace.parquet", "--cost", "0.1", "--html", "build/pages/plan.html"),
    ("check", "examples/chain_residual_skipped.py:verify", "--html", "build/pages/check.html"),
)
"""The last ends with 1, as the sampler is broken."""

SHOTS = {
    "run-light": ("run/report.html", "", 1100, 1250, False),
    "run-dark": ("run/report.html", "yin2024.theorem4", 1100, 900, True),
    "run-narrow": ("run/report.html", "yin2024.theorem4", 360, 1100, False),
    "figures-dark": ("run/report.html", "figure.pareto", 1100, 1100, True),
    "plan-light": ("plan.html", "", 1100, 1250, False),
    "plan-dark": ("plan.html", "curves", 1100, 1100, True),
    "plan-narrow": ("plan.html", "", 360, 1100, False),
    "check-light": ("check.html", "", 1100, 1100, False),
    "check-dark": ("check.html", "instance", 1100, 1100, True),
    "check-narrow": ("check.html", "", 360, 1100, False),
}
"""By name: the page, what is scrolled to, width and height, and whether the person prefers dark colours."""


def main():
    """Make the pages and take the pictures."""
    if headless.missing():
        sys.exit(f"screenshots need Chromium: {headless.missing()}")
    for words in COMMANDS:
        done = subprocess.run([sys.executable, "-m", "specproof", *words], cwd=ROOT)
        if done.returncode not in (0, 1):
            sys.exit(done.returncode)
    with headless.browser() as driver:
        for name, (page, place, width, height, dark) in SHOTS.items():
            headless.resize(driver, width, height, dark=dark)
            headless.open_file(driver, PAGES / page)
            if place:
                driver.execute_script("location.hash = arguments[0]", place)
            driver.save_screenshot(str(IMAGES / f"page-{name}.png"))


if __name__ == "__main__":
    main()
