"""Speculative decoding with two models: given its prefix, a tested position is rejected with probability TV."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from array_api_compat import array_namespace

from specproof.simulations.claims.claim import Claim, Settings
from specproof.simulations.claims.real.prompt_groups import PromptGroup, prepare, prompt_groups
from specproof.simulations.evidence import Evidence, Method, from_check
from specproof.simulations.experiments.cell import Cell, CellContext, Findings, Records
from specproof.simulations.samplers.inversion import AnyArray, gather
from specproof.simulations.samplers.selection import Selection, replace_rejected
from specproof.simulations.samplers.single import residual_weights, verify
from specproof.simulations.statistics import check_drift

if TYPE_CHECKING:
    import pandas as pd

WITH_BONUS = "bonus token after a fully accepted round, not tested"
EVERY_POSITION = "no bonus token: every position tested, as Theorem 1 counts"
BROKEN = "acceptance without the quotient"
CONTROL_HORIZON, CONTROL_LENGTH = 5, 1
"""A rule that mostly rejects the first draft of a round has no use for the others."""

RESOLUTION = 0.2
"""A rejection rate off by this much must be within reach, or the test says nothing."""


def _cells(settings: Settings) -> list[Cell]:
    horizon = settings.sized(12, 256)
    shared = {"horizon": horizon, "draft_length": settings.draft_length}
    groups = list(enumerate(prompt_groups(settings)))
    plans = [(mode, index, group) for mode in (WITH_BONUS, EVERY_POSITION) for index, group in groups]
    cells = [
        Cell(CLAIM.id, f"{_NAMES[mode]}-{index}", decode, {"group": group, **shared, "mode": mode}, cost=17)
        for mode, index, group in plans
    ]
    few = {"horizon": CONTROL_HORIZON, "draft_length": CONTROL_LENGTH, "mode": BROKEN}
    return [*cells, Cell(CLAIM.id, _NAMES[BROKEN], decode, {"group": groups[0][1], **few}, cost=12)]


_NAMES = {WITH_BONUS: "bonus", EVERY_POSITION: "every-position", BROKEN: "control"}


def conclude(context: CellContext) -> Findings:
    """Test the rejections of all texts together, and tabulate what decoding gained."""
    import pandas as pd

    tests, rounds = pd.DataFrame(context.tables["tests"]), pd.DataFrame(context.tables["rounds"])
    rows: list[Evidence] = []
    summary: Records = []
    for mode, part in tests.groupby("mode", sort=False):
        rejected, distances = part["rejected"].to_numpy(dtype=bool), part["tv"].to_numpy()
        check = check_drift(rejected, distances, context.level)
        method = Method.CONTROL if mode == BROKEN else Method.SIMULATION
        instance = {"pair": str(part["pair"].iloc[0]), "mode": mode, "prompts": part["prompt"].nunique()}
        rows.append(
            from_check(
                "rate of rejections at tested positions, against the mean TV there",
                check,
                level=context.level,
                resolution=RESOLUTION,
                method=method,
                **instance,
            )
        )
        made = rounds[rounds["mode"] == mode]
        summary.append(
            {
                **instance,
                "tested": len(part),
                "rejections": int(rejected.sum()),
                "sum_of_tv": float(distances.sum()),
                "rounds": len(made),
                "mean_accepted_length": float(made["accepted"].mean()),
                "tokens_per_target_call": float(made["emitted"].mean()),
            }
        )
    return Findings(rows, {"decoding": summary})


CLAIM = Claim(
    "real.rejection-martingale",
    "Yin et al. 2024, arXiv 2411.00841, Theorem 1 position by position, on a pair of language models",
    "Given its prefix, a tested position is rejected with probability TV: rejections minus TV are a martingale.",
    _cells,
    conclude,
    conclusions=2,
    needs_models=True,
    formula=r"M_n=\sum_{i\le n}\bigl(1_{\text{position } i \text{ is rejected}}-\mathrm{TV}(p_i,q_i)\bigr)",
)


def decode(
    context: CellContext,
    group: PromptGroup,
    horizon: int,
    draft_length: int,
    mode: str,
) -> Findings:
    """Run speculative decoding from the prompts and record every test and every round."""
    import pandas as pd

    from specproof.simulations.language_models.decoding import speculative_decode
    from specproof.simulations.language_models.level_by_level import LevelByLevel

    models, encoded = prepare(group)
    rule = LevelByLevel(verify_without_quotient if mode == BROKEN else verify, bonus=mode == WITH_BONUS)
    run = speculative_decode(models, encoded, horizon, draft_length, rule, context.rng)
    first, shared = group["first"], {"pair": group["pair"], "mode": mode}
    tests = pd.DataFrame({"prompt": run.text + first, "position": run.position, "tv": run.tv, "rejected": run.rejected})
    rounds = pd.DataFrame(
        {
            "prompt": run.round_text + first,
            "tested": run.round_tested,
            "accepted": run.round_accepted,
            "emitted": run.round_emitted,
        }
    )
    return Findings(tables={"tests": _records(tests, shared), "rounds": _records(rounds, shared)})


def verify_without_quotient(draft: AnyArray, target: AnyArray, drafts: AnyArray, uniforms: AnyArray) -> Selection:
    """Accept with probability q(x) where min(1, q(x)/p(x)) is right: the control."""
    xp = array_namespace(draft, target, drafts, uniforms)
    accepted = (uniforms[..., :1] < gather(target, drafts))[..., 0]
    emitted = replace_rejected(drafts[..., 0], accepted, residual_weights(draft, target), uniforms[..., 1])
    return Selection(emitted, xp.where(accepted, 0, -1))


def _records(table: pd.DataFrame, shared: Mapping[str, str]) -> Records:
    records: Records = table.assign(**shared).to_dict(orient="records")
    return records
