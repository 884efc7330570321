"""Decoding-OPT and Decoding-UNO on a pair of language models: exact bias and rejection, and who writes better."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from specproof.simulations.claims.claim import Claim, Settings
from specproof.simulations.claims.real.confidence import over_prompts
from specproof.simulations.claims.real.prompt_groups import PromptGroup, make_repeatable, prompt_groups
from specproof.simulations.claims.worst import Least, Worst
from specproof.simulations.claims.yin2024 import SOURCE
from specproof.simulations.claims.yin2024.coupled_texts import write
from specproof.simulations.claims.yin2024.over_acceptance import EPSILONS, LIKELIHOOD, RULES
from specproof.simulations.claims.yin2024.win_rates import EVEN, score_differences, win_rates
from specproof.simulations.evidence import Evidence, Method, from_check
from specproof.simulations.experiments.cell import Cell, CellContext, Findings, Records
from specproof.simulations.statistics import check_drift

if TYPE_CHECKING:
    import pandas as pd

QUICK_GROUP = 14
"""Prompts of a cell: each has eight texts, and their caches take memory."""

SUM_TOLERANCE = 1e-10
"""A sum of some 10^5 to 10^6 float64 terms of total mass at most 2, each partial sum rounded at 1e-16 of itself."""

RESOLUTION = 0.2
"""A rejection rate off by this much must be within reach, or the test says nothing."""


def _cells(settings: Settings) -> list[Cell]:
    # Prompts are the independent units of the win rates, and the longer the texts, the further apart the rules and the
    # noisier the texts: many short ones say more than a few long ones.
    sizes = {"horizon": settings.sized(4, 32), "draft_length": settings.draft_length, "copies": settings.sized(2, 24)}
    cells: list[Cell] = []
    for index, group in enumerate(prompt_groups(settings, settings.sized(QUICK_GROUP, 1))):
        written = Cell(CLAIM.id, f"write-{index}", write, {"group": group, **sizes}, cost=24)
        cells.append(written)
        if settings.scorer != LIKELIHOOD:  # which judges always
            asked = {"group": group, "scorer": settings.scorer}
            cells.append(Cell(CLAIM.id, f"score-{index}", judge, asked, cost=24, needs=(written,)))
    return cells


def conclude(context: CellContext) -> Findings:
    """Look for the position furthest off the theory, test the rejections, and average over positions and prompts."""
    import pandas as pd

    positions, texts, scores = (pd.DataFrame(context.tables[name]) for name in ("positions", "continuations", "scores"))
    rows: list[Evidence] = []
    for epsilon, part in positions.groupby("epsilon"):
        instance = {"pair": str(part["pair"].iloc[0]), "epsilon": float(epsilon), "prompts": part["prompt"].nunique()}
        rows += _exact(part, instance)
        rows += _observed(part, context.level, instance)
    tables = {
        "trade_off": _trade_off(positions),
        "score_difference": score_differences(positions, scores),
        "win_rate": win_rates(positions, texts, scores),
    }
    return Findings(rows, tables)


CLAIM = Claim(
    "yin2024.opt-uno",
    f"{SOURCE}, Table 1, on a pair of language models",
    "Over-accepting by epsilon, OPT and UNO reject alike; in each context R + bias of OPT is TV, and UNO's is no less.",
    _cells,
    conclude,
    conclusions=len(EPSILONS),
    needs_models=True,
    note=(
        "the paper runs EleutherAI/pythia-70m with EleutherAI/pythia-2.8b and judges by reward models; by default "
        "neither is what runs here. Where they can be had: specproof reproduce yin2024.opt-uno "
        "--pair hf:EleutherAI/pythia-70m,EleutherAI/pythia-2.8b --scorer hf:NAME --full. Like the paper, the rows of "
        "independent texts compare every text with every other; intervals are 95% over prompts, and a difference "
        "called detectable is seen with probability 0.99. A rate that is not resolved needs so many times the text; "
        "where nothing is rejected there is one rule, and no amount tells"
    ),
    digest={
        "trade_off": ("epsilon", "quantity", "mean", "low", "high"),
        "score_difference": ("epsilon", "judge", "compared", "mean", "low", "high"),
        "win_rate": (
            *("epsilon", "judge", "compared", "mean", "low", "high"),
            *("even", "detectable", "resolved", "times_the_text", "prompts_needed"),
        ),
    },
    formula=r"R+\mathrm{bias}_{\mathrm{OPT}}=\mathrm{TV}(p,q)\le R+\mathrm{bias}_{\mathrm{UNO}}",
)


def judge(context: CellContext, group: PromptGroup, scorer: str) -> Findings:
    """Score what was written, in a cell of its own: a scorer that fails, or another one, costs no decoding."""
    from specproof.simulations.language_models.prompts import Prompt
    from specproof.simulations.language_models.scoring import Continuation, load_scorer, score

    make_repeatable(group["device"])
    written = context.tables["continuations"]
    asked = [Prompt(**group["prompts"][record["prompt"] - group["first"]]) for record in written]
    answers = [Continuation(record["tokens"], record["text"]) for record in written]
    scores = score(load_scorer(scorer, group["pair"], group["device"]), scorer, asked, answers)
    keys = ("pair", "prompt", "epsilon", "copy", *RULES)
    found = [
        {name: record[name] for name in keys} | {"judge": scorer, "score": float(value)}
        for record, value in zip(written, scores, strict=True)
    ]
    return Findings(tables={"scores": found})


def _exact(part: pd.DataFrame, instance: Mapping[str, Any]) -> list[Evidence]:
    worst = Worst(**instance)

    def see(quantity: str, errors: pd.Series, method: Method = Method.IDENTITY) -> None:
        largest = np.abs(errors.to_numpy()).max()  # NaN stays, and is refuted; pandas would skip it
        worst.see(quantity, largest, instances=len(errors), method=method, tolerance=SUM_TOLERANCE)

    see("R + bias of OPT - TV", part["rejection"] + part["bias_opt"] - part["tv"])
    see("R of OPT and of UNO, against sum [p - q - epsilon]+", part["rejection_error"])
    see("R + least bias - TV, accepting half as often", part["halved"] - part["tv"], Method.CONTROL)
    least = Least(**instance)
    gap = (part["bias_uno"] - part["bias_opt"]).to_numpy()
    least.see("least of bias of UNO - bias of OPT", gap, tolerance=SUM_TOLERANCE)
    won = part["win_ratio"].to_numpy() - EVEN
    least.see("least of OPT's win rate by the likelihood ratio of the next token - 1/2", won, tolerance=SUM_TOLERANCE)
    return [*worst.rows(), *least.rows()]


def _observed(part: pd.DataFrame, level: float, instance: Mapping[str, Any]) -> list[Evidence]:
    """Test the rejections of both rules together; at the largest epsilon also as if none had been allowed for."""
    rejected = part["rejected"].to_numpy(dtype=bool)
    rates, distances = part["rejection"].to_numpy(), part["tv"].to_numpy()
    shown: dict[str, Any] = {"level": level, **instance}
    test = check_drift(rejected, rates, level)
    rows = [from_check("rate of rejections, against the mean R of the contexts", test, resolution=RESOLUTION, **shown)]
    if instance["epsilon"] == max(EPSILONS):
        # Where the two rates lie close, too little is at stake for the broken control to be told.
        broken_control, apart = check_drift(rejected, distances, level), 0.5 * float((distances - rates).mean())
        quantity = "rate of rejections, against the mean R of epsilon = 0"
        rows.append(from_check(quantity, broken_control, resolution=apart, method=Method.CONTROL, **shown))
    return rows


def _trade_off(positions: pd.DataFrame) -> Records:
    """Average what is exact over the contexts that either rule led to."""
    columns = {"bias of OPT": "bias_opt", "bias of UNO": "bias_uno", "rejection": "rejection", "TV": "tv"}
    records: Records = []
    for epsilon, part in positions.groupby("epsilon"):
        shown = {"epsilon": epsilon, "prompts": part["prompt"].nunique(), "observations": len(part)}
        for name, column in columns.items():
            interval = over_prompts(part[column], part["prompt"], 0.0, 1.0)
            records.append({**shown, "quantity": name, **interval, "pair": str(part["pair"].iloc[0])})
    return records
