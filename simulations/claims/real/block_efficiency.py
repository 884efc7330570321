"""SpecTr with two models: block efficiency from the text of the target, and real decoding as its check."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from specproof.simulations.claims.claim import Claim, Settings
from specproof.simulations.claims.real.efficiency_tables import (
    BLOCK,
    FLAGSHIP,
    ONE_DRAFT,
    beside_marginal_rates,
    beside_the_paper,
    prices_of,
    summarise,
)
from specproof.simulations.claims.real.level_rates import level_rate
from specproof.simulations.claims.real.prompt_groups import GROUP_SIZE, PromptGroup, prepare, prompt_groups
from specproof.simulations.claims.real.rejection_martingale import verify_without_quotient
from specproof.simulations.evidence import Method, at_least
from specproof.simulations.experiments.cell import Cell, CellContext, Findings, Records
from specproof.simulations.samplers import SAMPLERS
from specproof.simulations.traces.configuration import DISTINCT, SIMPLE, Configuration, reach_weights
from specproof.simulations.traces.measuring import make_measurement
from specproof.simulations.traces.position_columns import traced_verifiers
from specproof.simulations.traces.pricing import price
from specproof.simulations.traces.trace import Trace
from specproof.simulations.traces.walked_texts import trace_of_steps

if TYPE_CHECKING:
    from specproof.simulations.language_models.decoding_run import DecodingRun
    from specproof.simulations.language_models.round_rule import RoundRule

DRAFT_COUNTS, DRAFT_LENGTHS = (2, 4, 8), (4, 8)
DECODED, DECODED_SIZE = (FLAGSHIP, "priority", BLOCK), (4, 3)
"""The rules that are decoded as the check, and their K and L; block verification has one draft."""

CONTROL_SIZE, CONTROL_HORIZON = 8, 5
"""Prompts and tokens of the broken decode, which a few show to be broken."""

BROKEN = "acceptance without the quotient"
PROPER = "the verifiers as they are"
OTHER_RULE = "weights of one draft for the first level, though K are drafted"
"""Below the first level often one sequence is left, for which these weights are right."""


def _cells(settings: Settings) -> list[Cell]:
    horizon = settings.sized(36, 256)
    cells = [
        Cell(CLAIM.id, f"trace-{index}", trace_group, {"group": group, "horizon": horizon}, cost=50)
        for index, group in enumerate(prompt_groups(settings))
    ]
    # In a quick run the prompts of a group of texts, which a worker may have read already.
    group = prompt_groups(settings, size=settings.sized(GROUP_SIZE, 2 * GROUP_SIZE))[0]
    shared = {"group": group, "horizon": settings.sized(10, 128)}
    cells += [Cell(CLAIM.id, f"decode-{name}", decode, {"verifier": name, **shared}, cost=30) for name in DECODED]
    few = {"group": prompt_groups(settings, size=CONTROL_SIZE)[0], "horizon": CONTROL_HORIZON}
    return [*cells, Cell(CLAIM.id, "control", decode_broken, few, cost=14)]


def configurations() -> list[Configuration]:
    """List what is priced: one draft token by token and by blocks, and the rules of several at all sizes."""
    ones = [Configuration(rule, 1, length) for rule in (ONE_DRAFT, BLOCK) for length in DRAFT_LENGTHS]
    sizes = [(count, length) for count in DRAFT_COUNTS for length in DRAFT_LENGTHS]
    return ones + [Configuration(rule, *size) for rule in (*traced_verifiers(), DISTINCT) for size in sizes]


def conclude(context: CellContext) -> Findings:
    """Test the levels of all real rounds against the reach weights of their texts, and tabulate the prices."""
    import pandas as pd

    levels, least = pd.DataFrame(context.tables["levels"]), pd.DataFrame(context.tables["blocks"])
    pair = str(least["pair"].iloc[0])
    methods = {PROPER: Method.SIMULATION, OTHER_RULE: Method.CONTROL, BROKEN: Method.CONTROL}
    rows = [level_rate(levels, "text", mode, method, context.level, pair) for mode, method in methods.items()]
    rows += [
        at_least(
            f"least reach weight of {words}",
            bound=0.0,
            estimate=float(least[column].min()),
            tolerance=1e-12,
            trials=int(least["positions"].sum()),
            method=method,
            pair=pair,
        )
        for words, column, method in (
            ("block verification minus that of one draft token by token", "gap", Method.IDENTITY),
            ("one draft token by token minus that of block verification", "gap_turned_round", Method.CONTROL),
        )
    ]
    sums = pd.DataFrame(context.tables["sums"])
    prices = prices_of(sums, configurations())
    positions = int(least["positions"].sum())
    tables = {
        "block_efficiency": summarise(prices, positions),
        "paper": beside_the_paper(prices),
        "marginal_rates": beside_marginal_rates(prices, pd.DataFrame(context.tables["rates"])),
    }
    return Findings(rows, tables)


CLAIM = Claim(
    "real.block-efficiency",
    "Sun et al. 2023, arXiv 2310.15141, Algorithm 3 and Table 1, on a pair of language models",
    "Given the text, a round accepts l drafts with its reach weight; tokens per call of every rule follow, paired.",
    _cells,
    conclude,
    conclusions=1,
    needs_models=True,
    note="Block efficiency is exact given text that was sampled from the target; intervals are over prompts. Models "
    "and texts are other than the paper's; the clock is a computation from c, the cost of a draft step.",
    digest={
        "block_efficiency": (
            *("label", "num_drafts", "draft_length", "mean", "low", "high"),
            *("ratio", "ratio_low", "ratio_high"),
        ),
        "paper": ("quantity", "paper", "here", "low", "high", "differs"),
        "marginal_rates": (
            *("draft_length", "acceptance", "printed", "tokens_per_call", "low", "high"),
            *("printed_over_true", "ratio_low", "ratio_high"),
        ),
    },
)


def trace_group(context: CellContext, group: PromptGroup, horizon: int) -> Findings:
    """Sample texts from the target, and price every configuration on them."""
    from specproof.simulations.language_models.walking import walk_target

    models, encoded = prepare(group)
    measurement = make_measurement(None, None, max(DRAFT_COUNTS), 0)
    steps = walk_target(models, encoded, horizon, context.rng)
    trace = trace_of_steps(steps, models, _names(group), measurement, context.rng)
    prices = price(trace, configurations())
    names = {name: index for index, name in enumerate(prices.prompts)}
    sums: Records = [
        {
            "configuration": index,
            "prompt": name,
            "tokens": float(prices.tokens[index, place]),
            "calls": float(prices.calls[index, place]),
        }
        for index in range(len(prices.configurations))
        for name, place in names.items()
    ]
    rates: Records = [
        {"prompt": text.name, "overlap": float(rows["overlap"].sum()), "positions": text.tokens}
        for text, rows in trace.texts()
    ]
    return Findings(tables={"sums": sums, "blocks": [{"pair": group["pair"], **_block_gaps(trace)}], "rates": rates})


def _block_gaps(trace: Trace) -> dict[str, float]:
    """Find where block verification comes closest to reaching less than the rule token by token, over all starts.

    The other way round is the control. It has to fail wherever a ratio q/p above 1 stands beside one below it, which in
    a text of the target cannot stay away: the mean of p/q is 1 at every position.
    """
    gap, turned_round, positions = np.inf, np.inf, 0
    for _, rows in trace.texts():
        one, block = (reach_weights(rows, Configuration(rule, 1, max(DRAFT_LENGTHS))) for rule in (ONE_DRAFT, BLOCK))
        gap = min(gap, float((block - one).min()))
        turned_round = min(turned_round, float((one - block).min()))
        positions += len(rows)
    return {"gap": gap, "gap_turned_round": turned_round, "positions": positions}


def decode(context: CellContext, group: PromptGroup, horizon: int, verifier: str) -> Findings:
    """Decode by one verifier, and put the levels of its rounds beside the reach weights of the text that came out."""
    from specproof.simulations.language_models.block_rule import BlockVerification
    from specproof.simulations.language_models.level_by_level import LevelByLevel

    alone = verifier == BLOCK
    rule = BlockVerification() if alone else LevelByLevel(SAMPLERS[verifier], DECODED_SIZE[0])
    run, trace = _decoded(context, group, horizon, rule, [] if alone else [verifier])
    found = _levels(run, trace, verifier, PROPER)
    return Findings(tables={"levels": found + ([] if alone else _levels(run, trace, ONE_DRAFT, OTHER_RULE, deepest=1))})


def decode_broken(context: CellContext, group: PromptGroup, horizon: int) -> Findings:
    """Decode with a verifier that accepts without the quotient: the control."""
    from specproof.simulations.language_models.level_by_level import LevelByLevel

    rule = LevelByLevel(verify_without_quotient, DECODED_SIZE[0])
    run, trace = _decoded(context, group, horizon, rule, [FLAGSHIP])
    return Findings(tables={"levels": _levels(run, trace, FLAGSHIP, BROKEN)})


def _decoded(
    context: CellContext, group: PromptGroup, horizon: int, rule: RoundRule, verifiers: list[str]
) -> tuple[DecodingRun, Trace]:
    """Decode with caches, then read the text once by both models."""
    from specproof.simulations.language_models.decoding import speculative_decode
    from specproof.simulations.language_models.walking import follow_texts

    models, encoded = prepare(group)
    count, length = DECODED_SIZE
    run = speculative_decode(models, encoded, horizon, length, rule, context.rng)
    measurement = make_measurement(None, None, count if verifiers else 0, 0, verifiers)
    steps = follow_texts(models, encoded, run.tokens)
    return run, trace_of_steps(steps, models, _names(group), measurement, context.rng)


def _names(group: PromptGroup) -> list[str]:
    return [str(prompt["id"]) for prompt in group["prompts"]]


def _levels(run: DecodingRun, trace: Trace, rule: str, mode: str, deepest: int = DECODED_SIZE[1]) -> Records:
    r"""Tell of every level that a round came to whether it accepted, and its exact probability given the text.

    That of level l, after l - 1 were accepted, is :math:`v_l / v_{l-1}`.
    """
    count, length = DECODED_SIZE
    asked = Configuration(rule, 1 if rule in SIMPLE else count, length)
    records: Records = []
    for number, (_, rows) in enumerate(trace.texts()):
        reach, start = reach_weights(rows, asked), 0
        rounds = np.flatnonzero(run.round_text == number)
        for accepted, tested, emitted in zip(
            run.round_accepted[rounds], run.round_tested[rounds], run.round_emitted[rounds], strict=True
        ):
            for level in range(min(int(tested), deepest)):
                before, after = reach[start, level], reach[start, level + 1]
                chance = min(float(after / before), 1.0) if before > 0 else 0.0
                records.append({"mode": mode, "rule": rule, "accepted": bool(level < accepted), "chance": chance})
            start += int(emitted)
    return records
