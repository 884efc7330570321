"""The README: its figure is that of the tables, and nothing in it needs the checkout that it lies in.

A package index shows it too, where a link to a file of the repository leads nowhere and its pictures are missing.
"""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from specproof.simulations.claims.registry import CLAIMS
from specproof.theory.verifiers import LOOKS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PROSE = re.sub(r"```.*?```", "", README, flags=re.DOTALL)


def figure() -> str:
    """Acceptance on real logits, as text that every reader of Markdown shows."""
    table = pd.read_parquet(ROOT / "docs" / "gallery" / "real.acceptance.acceptance.parquet")
    shares = table.pivot(index="rule", columns="num_drafts", values="mean").sort_values(8, ascending=False)
    lines = [f"{'k':38}" + "".join(f"{k:<7}" for k in shares.columns)]
    for rule, row in shares.iterrows():
        bar = "█" * round(20 * row.iloc[-1])
        lines.append(f"{LOOKS[str(rule)].label:38}" + "".join(f"{share:<7.3f}" for share in row) + bar)
    return "\n".join(line.rstrip() for line in lines)


def test_the_figure_is_drawn_from_the_table() -> None:
    assert f"```text\n{figure()}\n```" in README


def test_every_link_and_picture_is_there_on_a_package_index() -> None:
    links = re.findall(r"\]\(([^)]*)\)", PROSE)
    assert all(link.startswith("https://") for link in links)
    assert {f"https://arxiv.org/abs/{number}" for number in ("2411.00841", "2310.15141")} <= set(links)
    assert not re.search(r"<img|^\[[^\]]*\]:", PROSE, re.MULTILINE)


def test_each_door_fits_on_a_screen() -> None:
    doors = re.split(r"^## ", README, flags=re.MULTILINE)
    assert [door.partition("\n")[0] for door in doors[1:4]] == [
        "Check a verifier",
        "Price a pair",
        "Reproduce the papers",
    ]
    assert max(door.count("\n") for door in doors) <= 40


def test_it_keeps_no_list_of_its_own() -> None:
    assert sum(claim.id in README for claim in CLAIMS) <= 2
