"""What the prices of SpecTr come to: block efficiency by rule, and both beside the paper's Table 1."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from specproof.simulations.experiments.cell import Records
from specproof.simulations.traces.configuration import Configuration
from specproof.simulations.traces.pricing import LEVEL, Interval, Prices, jackknife, jackknife_of
from specproof.theory.distribution import Array

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


def beside_marginal_rates(prices: Prices, rates: pd.DataFrame) -> Records:
    r"""Put what several tools print as tokens per call, :math:`1 + \sum_{l \le L} a^l`, beside what one draft gives.

    There a is the mean acceptance over all positions. The product would be right if every position accepted with the
    same probability, whatever came before it; along a text some passages are easy and others are not.

    Parameters
    ----------
    prices : Prices
    rates : DataFrame
        The sum of the acceptance over each prompt's positions, and their number, in columns ``overlap`` and
        ``positions``.
    """
    of_prompts = rates.groupby("prompt")[["overlap", "positions"]].sum().loc[list(prices.prompts)].to_numpy().T
    acceptance = jackknife(*of_prompts)
    records: Records = []
    for index, asked in enumerate(prices.configurations):
        if asked.rule != ONE_DRAFT:
            continue
        sums = np.stack([*of_prompts, prices.tokens[index], prices.calls[index]])
        printed, share = (jackknife_of(partial(each, length=asked.length), sums) for each in (_printed, _printed_share))
        records.append(
            {
                "draft_length": asked.length,
                "acceptance": acceptance.estimate,
                "printed": printed.estimate,
                **_named(prices.tokens_per_call(index), "tokens_per_call", "low", "high"),
                **_named(share, "printed_over_true", "ratio_low", "ratio_high"),
                "level": LEVEL,
                "prompts": len(prices.prompts),
            }
        )
    return records


def _printed(sums: Array, length: int) -> Array:
    """Tokens per call by the mean acceptance alone, of sums in the order acceptance, positions, and any others."""
    rate = sums[0] / sums[1]
    found: Array = (rate ** np.arange(length + 1)[:, np.newaxis]).sum(axis=0)
    return found


def _printed_share(sums: Array, length: int) -> Array:
    """Divide these tokens per call by the true ones, whose tokens and calls are the third and fourth sum."""
    share: Array = _printed(sums, length) / (sums[2] / sums[3])
    return share


def _named(interval: Interval, *names: str) -> dict[str, float]:
    return dict(zip(names, interval, strict=True))
