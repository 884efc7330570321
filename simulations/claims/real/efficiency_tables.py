"""What the prices of SpecTr come to: block efficiency by rule, and both beside the paper's Table 1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from specproof.simulations.experiments.cell import Records
from specproof.simulations.traces.configuration import Configuration
from specproof.simulations.traces.pricing import LEVEL, Interval, Prices

if TYPE_CHECKING:
    import pandas as pd

ONE_DRAFT, BLOCK, FLAGSHIP = "single", "block", "kseq"

SOURCE = "Sun et al. 2023, arXiv 2310.15141, Table 1: PaLM-2 models on LM1B, K = L = 8"
PAPER_COUNT, PAPER_LENGTH = 8, 8
PAPER_SPEED = 2.13
"""The paper's wall-clock gain of K-SEQ over the target alone."""

COUNTED = "other models and texts; counted, so that hardware has no part in it"
CLOCKED = (
    "computed: the c at which (tokens per call) / (1 + c L) is the paper's gain, if K sequences cost what one does"
)


def prices_of(sums: pd.DataFrame, configurations: Sequence[Configuration]) -> Prices:
    """Put together the sums of all groups of prompts."""
    tables = [sums.pivot(index="configuration", columns="prompt", values=name) for name in ("tokens", "calls")]
    tokens, calls = (table.loc[range(len(configurations))].to_numpy() for table in tables)
    return Prices(tuple(configurations), tuple(map(str, tables[0].columns)), tokens, calls)


def summarise(prices: Prices, positions: int) -> Records:
    """Tabulate block efficiency, and its ratio to that of one draft of the same length, paired."""
    records: Records = []
    for index, asked in enumerate(prices.configurations):
        found = prices.tokens_per_call(index)
        ratio = prices.ratio(index, prices.index_of(Configuration(ONE_DRAFT, 1, asked.length)))
        records.append(
            {
                "verifier": asked.rule,
                "label": asked.label,
                "num_drafts": asked.num_drafts,
                "draft_length": asked.length,
                **_named(found, "mean", "low", "high"),
                **_named(ratio, "ratio", "ratio_low", "ratio_high"),
                "level": LEVEL,
                "prompts": len(prices.prompts),
                "positions": positions,
            }
        )
    return records


def beside_the_paper(prices: Prices) -> Records:
    """Put block efficiency, gain and the c that the paper's clock would need beside what the paper reports."""
    one = prices.index_of(Configuration(ONE_DRAFT, 1, PAPER_LENGTH))
    several = prices.index_of(Configuration(FLAGSHIP, PAPER_COUNT, PAPER_LENGTH))
    efficiency = prices.tokens_per_call(several)
    cost = Interval(*((value / PAPER_SPEED - 1.0) / PAPER_LENGTH for value in efficiency))
    found = (
        ("block efficiency of one draft", 1, 2.9, prices.tokens_per_call(one), COUNTED),
        ("block efficiency of K-SEQ", PAPER_COUNT, 4.0, efficiency, COUNTED),
        ("K-SEQ over one draft", PAPER_COUNT, 4.0 / 2.9, prices.ratio(several, one), COUNTED),
        (f"c at which K-SEQ would be {PAPER_SPEED} times as fast as the target", PAPER_COUNT, np.nan, cost, CLOCKED),
    )
    return [
        {
            "quantity": quantity,
            "num_drafts": count,
            "draft_length": PAPER_LENGTH,
            "paper": reported,
            **_named(interval, "here", "low", "high"),
            "level": LEVEL,
            "source": SOURCE,
            "differs": differs,
        }
        for quantity, count, reported, interval, differs in found
    ]


def _named(interval: Interval, *names: str) -> dict[str, float]:
    return dict(zip(names, interval, strict=True))
