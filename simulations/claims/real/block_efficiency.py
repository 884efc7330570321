"""SpecTr with two models: block efficiency from the text of the target, and real decoding as its check."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from specproof.simulations.claims.claim import Claim, Settings
from specproof.simulations.claims.real.efficiency_tables import (
    BLOCK,
    FLAGSHIP,
    ONE_DRAFT,
    beside_the_paper,
    prices_of,
    summarise,
)
from specproof.simulations.claims.real.prompt_groups import PromptGroup, prepare, prompt_groups
from specproof.simulations.claims.real.rejection_martingale import verify_without_quotient
from specproof.simulations.evidence import Evidence, Method, at_least, from_check
from specproof.simulations.experiments.cell import Cell, CellContext, Findings, Records
from specproof.simulations.samplers import SAMPLERS
from specproof.simulations.samplers.selection import SelectionSampler
from specproof.simulations.statistics import check_drift
from specproof.simulations.traces.configuration import DISTINCT, Configuration, reach_weights
from specproof.simulations.traces.position_columns import columns, traced_verifiers
from specproof.simulations.traces.pricing import price
from specproof.simulations.traces.trace import TextRecord, Trace, TraceHeader, pack

if TYPE_CHECKING:
    import pandas as pd

    from specproof.simulations.language_models.decoding_run import DecodingRun
    from specproof.simulations.language_models.walking import Step

DRAFT_COUNTS, DRAFT_LENGTHS = (2, 4, 8), (4, 8)
DECODED, DECODED_SIZE = ("kseq", "priority"), (4, 4)
"""The verifiers that are decoded as the check, and their K and L."""

CONTROL_SIZE, CONTROL_HORIZON = 8, 10
"""Prompts and tokens of the broken decode, which a few show to be broken."""

BROKEN = "acceptance without the quotient"
PROPER = "the verifiers as they are"
OTHER_RULE = "weights of one draft, though K are drafted"
RESOLUTION = 0.15
"""A rate of accepted levels off by this much must be within reach, or the test says nothing."""


def _cells(settings: Settings) -> list[Cell]:
    horizon = settings.sized(36, 256)
    cells = [
        Cell(CLAIM.id, f"trace-{index}", trace_group, {"group": group, "horizon": horizon}, cost=100)
        for index, group in enumerate(prompt_groups(settings))
    ]
    group = prompt_groups(settings, size=settings.sized(20, 56))[0]
    shared = {"group": group, "horizon": settings.sized(18, 128)}
    cells += [Cell(CLAIM.id, f"decode-{name}", decode, {"verifier": name, **shared}, cost=30) for name in DECODED]
    few = {"group": prompt_groups(settings, size=CONTROL_SIZE)[0], "horizon": CONTROL_HORIZON}
    return [*cells, Cell(CLAIM.id, "control", decode_broken, few, cost=20)]


def configurations() -> list[Configuration]:
    """List what is priced: one draft token by token and by blocks, and the rules of several at all sizes."""
    ones = [Configuration(rule, 1, length) for rule in (ONE_DRAFT, BLOCK) for length in DRAFT_LENGTHS]
    sizes = [(count, length) for count in DRAFT_COUNTS for length in DRAFT_LENGTHS]
    return ones + [Configuration(rule, *size) for rule in (*traced_verifiers(), DISTINCT) for size in sizes]


def conclude(context: CellContext) -> Findings:
    """Test the levels of all real rounds against the reach weights of their texts, and tabulate the prices."""
    import pandas as pd

    levels = pd.DataFrame(context.tables["levels"])
    rows = [_drift(levels, mode, context.level) for mode in (PROPER, OTHER_RULE, BROKEN)]
    least = pd.DataFrame(context.tables["blocks"])
    rows += [
        at_least(
            f"least reach weight of block verification minus that of {name}",
            bound=0.0,
            estimate=float(least[column].min()),
            tolerance=1e-12,
            trials=int(least["positions"].sum()),
            method=method,
        )
        for name, column, method in (
            ("one draft token by token", "gap", Method.IDENTITY),
            ("the first token alone", "gap_of_first", Method.CONTROL),
        )
    ]
    sums = pd.DataFrame(context.tables["sums"])
    prices = prices_of(sums, configurations())
    positions = int(least["positions"].sum())
    return Findings(rows, {"block_efficiency": summarise(prices, positions), "paper": beside_the_paper(prices)})


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
    },
)


def trace_group(context: CellContext, group: PromptGroup, horizon: int) -> Findings:
    """Sample texts from the target, and price every configuration on them."""
    from specproof.simulations.language_models.walking import walk_target

    models, encoded = prepare(group)
    trace = _traced(walk_target(models, encoded, horizon, context.rng), group, max(DRAFT_COUNTS), context)
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
    return Findings(tables={"sums": sums, "blocks": [_block_gaps(trace)]})


def _traced(
    steps: Iterator[Step],
    group: PromptGroup,
    num_drafts: int,
    context: CellContext,
    verifiers: Sequence[str] | None = None,
) -> Trace:
    """Make a trace of texts as a walk goes along them."""
    import pandas as pd

    parts: list[pd.DataFrame] = []
    for step in steps:
        rows = np.flatnonzero(step.active)
        draft, target = (law.cpu().numpy()[rows] for law in (step.draft, step.target))
        found = columns(draft, target, step.tokens[rows], num_drafts, context.rng, verifiers)
        found |= {"text": rows, "position": np.full(rows.size, step.position), "token": step.tokens[rows]}
        parts.append(
            pd.DataFrame({name: list(values) if values.ndim == 2 else values for name, values in found.items()})
        )
    table = pd.concat(parts).sort_values(["text", "position"], kind="stable")
    sizes = table.groupby("text").size()
    texts = tuple(
        TextRecord(str(prompt["id"]), int(sizes[index]), int(sizes[index]) < len(parts))
        for index, prompt in enumerate(group["prompts"])
    )
    names = tuple(traced_verifiers() if verifiers is None else verifiers)
    header = TraceHeader("pair", group["pair"], texts, num_drafts=num_drafts, verifiers=names)
    found = {name: np.stack(values.to_list()) if values.dtype == object else values for name, values in table.items()}
    return pack(header, {**found, "draft_temperature": np.ones(len(table))})


def _block_gaps(trace: Trace) -> dict[str, float]:
    """Find where block verification comes closest to reaching less than the rule token by token, over all starts."""
    gap, gap_of_first, positions = np.inf, np.inf, 0
    for _, rows in trace.texts():
        one, block = (reach_weights(rows, Configuration(rule, 1, max(DRAFT_LENGTHS))) for rule in (ONE_DRAFT, BLOCK))
        gap = min(gap, float((block - one).min()))
        gap_of_first = min(gap_of_first, float((block - one[:, 1:2]).min()))
        positions += len(rows)
    return {"gap": gap, "gap_of_first": gap_of_first, "positions": positions}


def decode(context: CellContext, group: PromptGroup, horizon: int, verifier: str) -> Findings:
    """Decode by one verifier, and put the levels of its rounds beside the reach weights of the text that came out."""
    run, trace = _decoded(context, group, horizon, SAMPLERS[verifier], verifier)
    found = _levels(run, trace, verifier, PROPER)
    return Findings(tables={"levels": found + _levels(run, trace, ONE_DRAFT, OTHER_RULE)})


def decode_broken(context: CellContext, group: PromptGroup, horizon: int) -> Findings:
    """Decode with a verifier that accepts without the quotient: the control."""
    run, trace = _decoded(context, group, horizon, verify_without_quotient, FLAGSHIP)
    return Findings(tables={"levels": _levels(run, trace, FLAGSHIP, BROKEN)})


def _decoded(
    context: CellContext, group: PromptGroup, horizon: int, sampler: SelectionSampler, verifier: str
) -> tuple[DecodingRun, Trace]:
    """Decode with caches, then read the text once by both models."""
    from specproof.simulations.language_models.decoding import speculative_decode
    from specproof.simulations.language_models.level_by_level import LevelByLevel
    from specproof.simulations.language_models.walking import follow_texts

    models, encoded = prepare(group)
    count, length = DECODED_SIZE
    run = speculative_decode(models, encoded, horizon, length, LevelByLevel(sampler, count), context.rng)
    return run, _traced(follow_texts(models, encoded, run.tokens), group, count, context, [verifier])


def _levels(run: DecodingRun, trace: Trace, rule: str, mode: str) -> Records:
    r"""Tell of every level that a round tested whether it accepted, and its exact probability given the text.

    That of level l, after l - 1 were accepted, is :math:`v_l / v_{l-1}`.
    """
    count, length = DECODED_SIZE
    asked = Configuration(rule, 1 if rule == ONE_DRAFT else count, length)
    records: Records = []
    for number, (_, rows) in enumerate(trace.texts()):
        reach, start = reach_weights(rows, asked), 0
        rounds = np.flatnonzero(run.round_text == number)
        for accepted, tested, emitted in zip(
            run.round_accepted[rounds], run.round_tested[rounds], run.round_emitted[rounds], strict=True
        ):
            for level in range(int(tested)):
                before, after = reach[start, level], reach[start, level + 1]
                chance = min(float(after / before), 1.0) if before > 0 else 0.0
                records.append({"mode": mode, "rule": rule, "accepted": bool(level < accepted), "chance": chance})
            start += int(emitted)
    return records


def _drift(levels: pd.DataFrame, mode: str, level: float) -> Evidence:
    part = levels[levels["mode"] == mode]
    check = check_drift(part["accepted"].to_numpy(dtype=bool), part["chance"].to_numpy(), level)
    return from_check(
        "rate of levels that accept, against the mean exact chance given the text",
        check,
        level=level,
        resolution=RESOLUTION,
        method=Method.SIMULATION if mode == PROPER else Method.CONTROL,
        mode=mode,
    )
