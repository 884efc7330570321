"""Decoding-OPT and Decoding-UNO on a pair of language models: exact bias and rejection, and who writes better."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from specproof.simulations.claims.claim import Claim, Settings
from specproof.simulations.claims.real.confidence import over_prompts
from specproof.simulations.claims.real.prompt_groups import PromptGroup, make_repeatable, prepare, prompt_groups
from specproof.simulations.claims.worst import Least, Worst
from specproof.simulations.claims.yin2024 import SOURCE
from specproof.simulations.evidence import Evidence, Method, from_check
from specproof.simulations.experiments.cell import Cell, CellContext, Findings, Records
from specproof.simulations.samplers import relaxed
from specproof.simulations.statistics import check_drift
from specproof.theory.distribution import Array
from specproof.theory.relaxed import decoding_opt, decoding_uno
from specproof.theory.tradeoff import minimal_bias, relaxed_acceptance

if TYPE_CHECKING:
    import pandas as pd

    from specproof.simulations.language_models.round_rule import LevelTest

EPSILONS = (0.1, 0.2, 0.4, 0.8)
RULES = {"opt": relaxed.opt_sampler, "uno": relaxed.uno_sampler}

QUICK_PROMPTS = 12
"""Prompts are the independent units of the win rate: many short texts say more of it than a few long ones."""

SUM_TOLERANCE = 1e-10
"""A sum of some 10^5 to 10^6 float64 terms of total mass at most 2, each partial sum rounded at 1e-16 of itself."""

RESOLUTION = 0.2
"""A rejection rate off by this much must be within reach, or the test says nothing."""

EVEN = 0.5
"""The win rate of two rules that write equally well; a tie counts half."""


def _cells(settings: Settings) -> list[Cell]:
    copies = settings.sized(6, 23)  # 23 x 23 comparisons a prompt, where the paper has 500
    sizes = {"horizon": settings.sized(4, 32), "draft_length": settings.draft_length, "copies": copies}
    spread = settings.prompts[:: max(1, len(settings.prompts) // QUICK_PROMPTS)][:QUICK_PROMPTS]
    chosen = settings if settings.scale == "full" else replace(settings, prompts=spread)
    cells: list[Cell] = []
    for index, group in enumerate(prompt_groups(chosen, settings.sized(QUICK_PROMPTS, 1))):
        shared = {"group": group, **sizes}
        for epsilon in EPSILONS:
            name = f"{epsilon}-{index}"
            written = tuple(
                Cell(CLAIM.id, f"{rule}-{name}", write, {**shared, "rule": rule, "epsilon": epsilon}, cost=16)
                for rule in RULES
            )
            asked = {"group": group, "scorer": settings.scorer}
            scored = Cell(CLAIM.id, f"score-{name}", judge, asked, cost=8, needs=written)
            cells += [*written, scored]
    return cells


def conclude(context: CellContext) -> Findings:
    """Look for the position furthest off the theory, test the rejections, and average over positions and prompts."""
    import pandas as pd

    positions, scores = pd.DataFrame(context.tables["positions"]), pd.DataFrame(context.tables["scores"])
    rows: list[Evidence] = []
    for epsilon, part in positions.groupby("epsilon"):
        instance = {"pair": str(part["pair"].iloc[0]), "epsilon": float(epsilon), "prompts": part["prompt"].nunique()}
        rows += _exact(part, instance)
        rows += _observed(part, context.level, instance)
    return Findings(rows, {"trade_off": _trade_off(positions, scores), "win_rate": _win_rates(scores)})


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
        "--pair hf:EleutherAI/pythia-70m,EleutherAI/pythia-2.8b --scorer hf:NAME --full"
    ),
    digest={
        "trade_off": ("epsilon", "quantity", "mean", "low", "high"),
        "win_rate": ("epsilon", "mean", "low", "high", "prompts", "comparisons", "scorer"),
    },
)


def write(
    context: CellContext,
    group: PromptGroup,
    horizon: int,
    draft_length: int,
    copies: int,
    rule: str,
    epsilon: float,
) -> Findings:
    """Continue each prompt several times by one rule, and compute both rules' laws in every context on the way."""
    import pandas as pd

    from specproof.simulations.language_models.decoding import speculative_decode
    from specproof.simulations.language_models.level_by_level import LevelByLevel

    models, encoded = prepare(group)
    texts = [tokens for tokens in encoded for _ in range(copies)]
    # No bonus token: every emitted position is tested, as the paper counts.
    verifier = LevelByLevel(RULES[rule](epsilon), bonus=False)
    measure = partial(_laws, epsilon=epsilon)
    run = speculative_decode(models, texts, horizon, draft_length, verifier, context.rng, measure=measure)
    first, shared = group["first"], {"pair": group["pair"], "rule": rule, "epsilon": epsilon}
    positions = pd.DataFrame({"prompt": first + run.text // copies, "copy": run.text % copies})
    positions = positions.assign(position=run.position, tv=run.tv, rejected=run.rejected, **run.measured, **shared)
    written = []
    for row, padded in enumerate(run.tokens):
        tokens = padded[padded >= 0].tolist()
        text = models.tokenizer.decode(tokens, skip_special_tokens=True)
        written.append(
            {"prompt": first + row // copies, "copy": row % copies, "tokens": tokens, "text": text, **shared}
        )
    return Findings(tables={"positions": positions.to_dict(orient="records"), "continuations": written})


def judge(context: CellContext, group: PromptGroup, scorer: str) -> Findings:
    """Score what was written, in a cell of its own: a scorer that fails, or another one, costs no decoding."""
    from specproof.simulations.language_models.prompts import Prompt
    from specproof.simulations.language_models.scoring import Continuation, load_scorer, score

    make_repeatable(group["device"])
    written = context.tables["continuations"]
    asked = [Prompt(**group["prompts"][record["prompt"] - group["first"]]) for record in written]
    answers = [Continuation(record["tokens"], record["text"]) for record in written]
    scores = score(load_scorer(scorer, group["pair"], group["device"]), scorer, asked, answers)
    return Findings(
        tables={
            "scores": [
                {name: record[name] for name in ("pair", "prompt", "copy", "rule", "epsilon")}
                | {"scorer": scorer, "score": float(value)}
                for record, value in zip(written, scores, strict=True)
            ]
        }
    )


def _laws(test: LevelTest, epsilon: float) -> dict[str, Array]:
    """Compute rejection and bias of both rules in each context, and of a broken control that accepts half as often."""
    draft, target = test.draft, test.target
    opt, uno = decoding_opt(draft, target, epsilon), decoding_uno(draft, target, epsilon)
    closed = np.maximum(draft - target - epsilon, 0.0).sum(axis=-1)
    halved = 0.5 * relaxed_acceptance(draft, target, epsilon)
    return {
        "rejection": opt.rejection,
        "bias_opt": opt.bias,
        "bias_uno": uno.bias,
        "rejection_error": np.maximum(np.abs(opt.rejection - closed), np.abs(uno.rejection - closed)),
        "halved": 0.5 * (1.0 + opt.rejection) + minimal_bias(draft, target, halved),
    }


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


def _trade_off(positions: pd.DataFrame, scores: pd.DataFrame) -> Records:
    """Average what is exact over the contexts that either rule led to, and each rule's scores over its own texts."""
    columns = {"bias of OPT": "bias_opt", "bias of UNO": "bias_uno", "rejection": "rejection", "TV": "tv"}
    records: Records = []
    for epsilon, part in positions.groupby("epsilon"):
        judged = scores[scores["epsilon"] == epsilon]
        found = {name: (part, over_prompts(part[column], part["prompt"], 0.0, 1.0)) for name, column in columns.items()}
        for rule, own in judged.groupby("rule"):
            found[f"score of {str(rule).upper()}"] = own, over_prompts(own["score"], own["prompt"])
        for name, (table, interval) in found.items():
            shown = {"epsilon": epsilon, "quantity": name, **interval}
            counts = {"prompts": table["prompt"].nunique(), "observations": len(table)}
            records.append({**shown, **counts, "pair": str(part["pair"].iloc[0])})
    return records


def _win_rates(scores: pd.DataFrame) -> Records:
    """Compare every continuation of OPT with every one of UNO for the same prompt."""
    pairs = scores[scores["rule"] == "opt"].merge(
        scores[scores["rule"] == "uno"], on=["pair", "scorer", "prompt", "epsilon"], suffixes=("_opt", "_uno")
    )
    ahead = pairs["score_opt"] - pairs["score_uno"]
    pairs["won"] = EVEN * (1.0 + np.sign(ahead))
    records: Records = []
    for (epsilon, pair, scorer), part in pairs.groupby(["epsilon", "pair", "scorer"]):
        shown = {"epsilon": epsilon, "pair": pair, "scorer": scorer, "even": EVEN}
        counts = {"prompts": part["prompt"].nunique(), "comparisons": len(part)}
        records.append({**shown, **over_prompts(part["won"], part["prompt"], 0.0, 1.0), **counts})
    return records
