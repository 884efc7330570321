"""SpecTr with two models: block efficiency, and what is left of it on the clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from specproof.simulations.claims.claim import Claim, Settings
from specproof.simulations.claims.real.efficiency_tables import (
    ALONE,
    FLAGSHIP,
    ONE_DRAFT,
    beside_the_paper,
    jackknife,
    summarise,
)
from specproof.simulations.claims.real.prompt_groups import GROUP_SIZE, PromptGroup, prepare, prompt_groups
from specproof.simulations.claims.real.rejection_martingale import verify_without_quotient
from specproof.simulations.evidence import Evidence, Method, at_least, from_check
from specproof.simulations.experiments.cell import Cell, CellContext, Findings, Records
from specproof.simulations.samplers import SAMPLERS
from specproof.simulations.samplers.selection import SelectionSampler
from specproof.simulations.statistics import check_drift
from specproof.theory.verifiers import VERIFIERS

if TYPE_CHECKING:
    import pandas as pd

    from specproof.simulations.language_models.decoding_run import DecodingRun
    from specproof.simulations.language_models.model_pair import ModelPair

DRAFT_COUNTS, DRAFT_LENGTHS = (2, 4, 8), (4, 8)
QUICK_PROMPTS = 4
SEEDS = 3
"""Runs of each prompt, each with a stream of its own."""

CONTROL = ("kseq", 2, 2)
CONTROL_HORIZON = 6
BROKEN = "acceptance without the quotient"
PROPER = "the verifiers as they are"
RESOLUTION = 0.3
"""An acceptance off by this much must be within reach, or the test says nothing."""

Configuration = tuple[str, int, int]
"""Verifier, number of drafts K, draft length L."""


def _cells(settings: Settings) -> list[Cell]:
    single = prompt_groups(settings, size=1)
    few = single[:: max(len(single) // QUICK_PROMPTS, 1)][:QUICK_PROMPTS]
    chosen = single if settings.scale == "full" else few
    shared = {
        "horizon": settings.sized(6, 64),
        "configurations": [list(each) for each in _configurations(settings.scale)],
    }
    cells = [
        Cell(
            CLAIM.id,
            f"decode-{group['first']}-{seed}",
            decode,
            {"group": group, **shared, "seed": seed},
            cost=settings.sized(20, 300),
        )
        for group in chosen
        for seed in range(SEEDS)
    ]
    crowd = {"group": prompt_groups(settings, size=GROUP_SIZE)[0], "horizon": CONTROL_HORIZON}
    return [*cells, Cell(CLAIM.id, "control", decode_broken, crowd, cost=20)]


def _configurations(scale: str) -> list[Configuration]:
    """Return the runs to compare: all numbers of drafts, quickly the other verifiers at the shorter length alone."""
    alone_and_one = [(ALONE, 1, 0), *((ONE_DRAFT, 1, length) for length in DRAFT_LENGTHS)]
    grid = [(FLAGSHIP, count, length) for count in DRAFT_COUNTS for length in DRAFT_LENGTHS]
    lengths = DRAFT_LENGTHS if scale == "full" else DRAFT_LENGTHS[:1]
    others = [name for name in SAMPLERS if name not in (ONE_DRAFT, FLAGSHIP)]
    grid += [(name, count, length) for name in others for count in DRAFT_COUNTS for length in lengths]
    return alone_and_one + grid


def conclude(context: CellContext) -> Findings:
    """Test the acceptances of all levels together, and tabulate what was gained."""
    import pandas as pd

    runs, levels = pd.DataFrame(context.tables["runs"]), pd.DataFrame(context.tables["levels"])
    shared = {"pair": str(runs["pair"].iloc[0]), "prompts": runs["prompt"].nunique()}
    rows = [_drift(levels, mode, context.level, **shared) for mode in (PROPER, BROKEN)]
    rows += [
        at_least("fewest tokens of a round", bound=1.0, estimate=float(runs["fewest"].min()), tolerance=0.0, **shared),
        at_least(
            "least of L + 1 minus the tokens of a round",
            bound=0.0,
            estimate=float((runs["draft_length"] + 1 - runs["most"]).min()),
            tolerance=0.0,
            **shared,
        ),
    ]
    values = jackknife(runs)
    summary = [{**record, "seeds": runs["seed"].nunique()} for record in summarise(values)]
    return Findings(rows, {"block_efficiency": summary, "paper": beside_the_paper(values)})


CLAIM = Claim(
    "real.block-efficiency",
    "Sun et al. 2023, arXiv 2310.15141, Algorithm 3 and Table 1, on a pair of language models",
    "A level with k drafts left accepts one with the probability of the k-draft law; a round emits 1 to L + 1 tokens.",
    _cells,
    conclude,
    conclusions=1,
    needs_models=True,
    note="Times are of this machine under its load, of a draft that may cost as much as its target, and of other "
    "models, texts and hardware than the paper's: they are data and no part of the verdict.",
    digest={
        "block_efficiency": (
            *("label", "num_drafts", "draft_length", "mean", "low", "high"),
            *("gain", "gain_low", "gain_high", "predicted", "cost"),
        ),
        "paper": ("quantity", "paper", "here", "low", "high", "differs"),
    },
)


def decode(
    context: CellContext,
    group: PromptGroup,
    seed: int,
    horizon: int,
    configurations: Sequence[Configuration],
) -> Findings:
    """Decode one prompt by each configuration in turn, so that all are timed under much the same load."""
    models, encoded = prepare(group)
    runs: Records = []
    levels: Records = []
    for name in dict.fromkeys(verifier for verifier, _, _ in configurations if verifier != ALONE):
        _warm_up(group["pair"], group["device"], name)
    for verifier, count, length in configurations:
        rule = ONE_DRAFT if verifier == ALONE else verifier
        run = _spectr(models, encoded, horizon, (rule, count, length), SAMPLERS[rule], context)
        shared = {"pair": group["pair"], "prompt": group["first"], "seed": seed}
        shared |= {"verifier": verifier, "num_drafts": count, "draft_length": length}
        runs.append(shared | _totals(run))
        levels += _levels(run, shared | {"mode": PROPER})
    return Findings(tables={"runs": runs, "levels": levels})


@cache
def _warm_up(pair: str, device: str, verifier: str) -> None:
    """Decode once in this process before anything is timed, as the first call of anything is slower than all others."""
    from specproof.simulations.language_models.pairs import load_pair

    apart = CellContext(np.random.default_rng(0), level=1.0)  # whether it was called must not show in any result
    _spectr(load_pair(pair, device), [[1, 2, 3, 4]], 1, (verifier, 2, 2), SAMPLERS[verifier], apart)


def decode_broken(context: CellContext, group: PromptGroup, horizon: int) -> Findings:
    """Decode with a verifier that accepts without the quotient: the control."""
    models, encoded = prepare(group)
    name, count, length = CONTROL
    run = _spectr(models, encoded, horizon, CONTROL, verify_without_quotient, context)
    shared = {"pair": group["pair"], "prompt": group["first"], "seed": 0}
    shared |= {"verifier": name, "num_drafts": count, "draft_length": length}
    return Findings(tables={"levels": _levels(run, shared | {"mode": BROKEN})})


def _spectr(
    models: ModelPair,
    encoded: list[list[int]],
    horizon: int,
    configuration: Configuration,
    verifier: SelectionSampler,
    context: CellContext,
) -> DecodingRun:
    """Decode by whole rounds, and measure the exact acceptance of every level that is tested."""
    from specproof.simulations.language_models.decoding import speculative_decode
    from specproof.simulations.language_models.decoding_run import exact_acceptance
    from specproof.simulations.language_models.level_by_level import LevelByLevel

    name, count, length = configuration
    rule, measure = LevelByLevel(verifier, count), exact_acceptance(VERIFIERS[name].law)
    return speculative_decode(models, encoded, horizon, length, rule, context.rng, measure=measure, whole_rounds=True)


def _totals(run: DecodingRun) -> dict[str, Any]:
    seconds = run.seconds
    return {
        "tokens": int(run.round_emitted.sum()),
        "target_calls": int(run.target_calls.sum()),
        "fewest": int(run.round_emitted.min()),
        "most": int(run.round_emitted.max()),
        **{f"wall_{part}": spent for part, spent in seconds.wall.items()},
        "wall": sum(seconds.wall.values()),
        "process": sum(seconds.process.values()),
    }


def _levels(run: DecodingRun, shared: Mapping[str, Any]) -> Records:
    columns = (run.level, run.alive, run.measured.get("acceptance", run.tv), ~run.rejected)
    return [
        {**shared, "level": int(deep), "alive": int(alive), "acceptance": float(exact), "accepted": bool(accepted)}
        for deep, alive, exact, accepted in zip(*columns, strict=True)
    ]


def _drift(levels: pd.DataFrame, mode: str, level: float, **instance: Any) -> Evidence:
    part = levels[levels["mode"] == mode]
    check = check_drift(part["accepted"].to_numpy(dtype=bool), part["acceptance"].to_numpy(), level)
    return from_check(
        "rate of levels that accept a draft, against the mean exact acceptance there",
        check,
        level=level,
        resolution=RESOLUTION,
        method=Method.CONTROL if mode == BROKEN else Method.SIMULATION,
        mode=mode,
        **instance,
    )
