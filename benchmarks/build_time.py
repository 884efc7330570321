"""Where the time of a build goes, from small vocabularies to large ones, as a table and a figure."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.timing import best
from specproof.figures import build_time
from specproof.figures.style import save, styled
from specproof.simulations.claims.priority.hard_pairs import llm_shaped_pair
from specproof.theory.distribution import Array, as_pair
from specproof.theory.ratio import ascending, likelihood_ratio
from specproof.theory.verifiers.priority import PriorityCoupling
from specproof.theory.verifiers.priority.tiling import tile_rows

SIZES = (1_000, 4_000, 16_000, 32_000, 65_536, 152_064, 262_144)
DRAFT_COUNTS = (2, 8)
REPEATS = 15

WHOLE, SORT, TILING = "whole build", "sort", "tiling"


def draw(folder: Path) -> None:
    """Measure, and write the table and the figure that draws it."""
    table = measure()
    with styled():
        save(build_time.draw(table), folder, "build-time", {"build_time": table})


def measure() -> pd.DataFrame:
    """Time the whole build and each of its parts by itself, for LLM-shaped pairs."""
    rng = np.random.default_rng(0)
    rows = []
    for tokens in SIZES:
        pair = llm_shaped_pair(rng, tokens)
        for count in DRAFT_COUNTS:
            calls = _parts(*pair, count)
            seconds = {part: best(call, REPEATS) for part, call in calls.items()}
            seconds["rest"] = seconds[WHOLE] - sum(
                value for part, value in seconds.items() if part not in (WHOLE, SORT)
            )
            rows += [
                {
                    "tokens": tokens,
                    "num_drafts": count,
                    "part": part,
                    "ms": 1e3 * value,
                    "ns_per_token": 1e9 * value / tokens,
                }
                for part, value in seconds.items()
            ]
    return pd.DataFrame(rows)


def _parts(draft: Array, target: Array, num_drafts: int) -> dict[str, Callable[[], object]]:
    """The build and its parts, each on what the parts before it made, and beside them a bare argsort of q/p."""
    proposal, law = (row[np.newaxis] for row in as_pair(draft, target))
    ratio = likelihood_ratio(proposal, law)
    order = ascending(ratio)
    return {
        WHOLE: lambda: PriorityCoupling(draft, target, num_drafts),
        "input checks": lambda: as_pair(draft, target),
        "order": lambda: ascending(likelihood_ratio(proposal, law)),
        SORT: lambda: np.argsort(ratio, axis=-1),
        TILING: lambda: tile_rows(proposal, law, order, num_drafts),
    }
