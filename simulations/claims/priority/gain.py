r"""What the optimum is worth on language models: the share of it that each verifier accepts, and where the rest goes.

With A the minimum cut of the transport problem, :math:`\alpha^* = q(A) + g(p(\bar A))`, and H its complement, a rule
that accepts token i with probability :math:`s_i` loses

.. math:: \alpha^* - \sum_i s_i = [g(p(H)) - s(H)] + [q(A) - s(A)],

two terms that are never negative. The first is the chance that a draft lies in H, where the target wants more than the
drafts can give, and yet no draft in H is accepted: a *wanted draft passed over*. The second is target mass on A that is
emitted *in place of drafts*, though the drafts have more of A than the target wants. The optimum does neither.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from specproof.simulations.claims.claim import Claim, Settings
from specproof.simulations.claims.priority import SOURCE
from specproof.simulations.claims.real.confidence import over_prompts
from specproof.simulations.claims.real.positions import row_by_row, walk_prompts
from specproof.simulations.claims.real.prompt_groups import PromptGroup, prompt_groups
from specproof.simulations.claims.worst import Least, Worst
from specproof.simulations.evidence import Method
from specproof.simulations.experiments.cell import Cell, CellContext, Findings, Records
from specproof.theory.distribution import Array, normalise_or_zero, softmax, total_variation
from specproof.theory.drafts import hit_probability
from specproof.theory.transport import minimum_cut
from specproof.theory.verifiers import VERIFIERS

if TYPE_CHECKING:
    import pandas as pd

DRAFTS = ("rtn:4", "rtn:3", "skip:12,16,20")
"""Drafts of the target's own family, from close to far; any other pair is measured alone."""

TEMPERATURES = (0.6, 1.0, 1.5)
WHOLE = 0
TOPS = (WHOLE, 50)
"""How many of the likeliest tokens each model keeps, or all of them."""

DRAFT_COUNTS = (2, 4, 8, 16)
"""With one draft all rules are the same."""

SHOWN_COUNT = 4
"""The number of drafts for which the loss is shown against the total variation."""

QUICK_EVERY, GROUP_SIZE = 7, 4
"""A quick run takes every seventh prompt; so many are decoded together."""

TOLERANCE = 1e-9
"""Differences of sums over some 10^5 tokens, each rounded at 1e-16 of the mass before it."""

SETTING = ["pair", "temperature", "top"]


def _cells(settings: Settings) -> list[Cell]:
    every, horizon = settings.sized(QUICK_EVERY, 1), settings.sized(6, 64)
    pairs = DRAFTS if settings.pair in DRAFTS else (settings.pair,)
    return [
        Cell(CLAIM.id, f"walk-{pair}-{group['first']}", walk, {"group": group, "horizon": horizon}, cost=9)
        for pair in pairs
        for group in prompt_groups(replace(settings, pair=pair, prompts=settings.prompts[::every]), GROUP_SIZE)
    ]


def conclude(context: CellContext) -> Findings:
    """Look for a position that breaks an inequality; average the shares over prompts; find where most is lost."""
    import pandas as pd

    positions = pd.DataFrame(context.tables["positions"])
    instance = {
        "pairs": ", ".join(positions["pair"].unique()),
        "temperatures": ", ".join(f"{value:g}" for value in positions["temperature"].unique()),
        "drafts": ", ".join(map(str, DRAFT_COUNTS)),
    }

    least = Least(**instance)

    def see(quantity: str, columns: list[str], method: Method = Method.IDENTITY) -> None:
        values = positions[columns].to_numpy()
        least.see(quantity, values, instances=len(positions), tolerance=TOLERANCE, method=method)

    for name in VERIFIERS:
        columns = {part: [f"{name}_{k}_{part}" for k in DRAFT_COUNTS] for part in ("gap", "passed", "replaced")}
        see(f"least of optimum minus {name}", columns["gap"])
        see(f"least chance to pass over a wanted draft, {name}", columns["passed"])
        see(f"least target mass emitted in place of drafts, {name}", columns["replaced"])
    selfish = [f"selfish_{k}" for k in DRAFT_COUNTS]
    see("least of optimum minus a rule that has all drafts for each token", selfish, Method.CONTROL)
    worst = Worst(**instance)
    for name, method in (("priority", Method.IDENTITY), ("kseq", Method.CONTROL)):
        largest = positions[[f"{name}_{k}_gap" for k in DRAFT_COUNTS]].abs().to_numpy().max()
        worst.see(f"optimum minus {name}", largest, instances=len(positions), tolerance=TOLERANCE, method=method)
    tables = {"shares": _shares(positions), "losses": _losses(positions), "hardest": _hardest(positions)}
    return Findings(least.rows() + worst.rows(), tables)


CLAIM = Claim(
    "priority.gain",
    f"{SOURCE}, on pairs of language models",
    "At every position of real text priority coupling accepts with the optimal probability; what others lose is wanted "
    "drafts passed over and target mass emitted in place of drafts.",
    _cells,
    conclude,
    needs_models=True,
    digest={
        "hardest": ("label", "num_drafts", "mean", "least", *SETTING, "id", "position", "tv", "passed_over", "replaced")
    },
)


def walk(context: CellContext, group: PromptGroup, horizon: int) -> Findings:
    """Sample from the target and measure every rule at each position, at all temperatures and cuts.

    The text is sampled at temperature 1 from the whole vocabulary, so that all settings see the same positions.
    """
    records: Records = []
    for reached in walk_prompts(group, horizon, context.rng):
        for temperature in TEMPERATURES:
            for top in TOPS:
                laws = (filtered(law, temperature, top) for law in (reached.draft, reached.target))
                records += reached.records(row_by_row(measure, *laws), temperature=temperature, top=top)
    return Findings(tables={"positions": records})


def filtered(law: Array, temperature: float, top: int) -> Array:
    """Rows at another temperature, cut to the likeliest tokens, as an engine would sample from them."""
    with np.errstate(divide="ignore"):
        tempered = softmax(np.log(law), temperature)
    if top == WHOLE or top >= law.shape[-1]:
        return tempered
    kept = np.argpartition(-tempered, top - 1, axis=-1)[..., :top]
    cut = np.zeros_like(tempered)
    np.put_along_axis(cut, kept, np.take_along_axis(tempered, kept, axis=-1), axis=-1)
    return normalise_or_zero(cut)


def measure(draft: Array, target: Array) -> dict[str, Array]:
    """What each rule accepts and where the rest goes, by column name, for laws of shape (V,)."""
    used = (draft > 0) | (target > 0)
    draft, target = draft[used], target[used]
    columns = {"tv": total_variation(draft, target)}
    for count, cut in zip(DRAFT_COUNTS, minimum_cut(draft, target, DRAFT_COUNTS), strict=True):
        inside, outside = (target * cut).sum(axis=-1), (draft * ~cut).sum(axis=-1)
        hit = hit_probability(outside, count)
        columns |= {f"optimal_{count}": inside + hit, f"wanted_{count}": outside}
        alone = np.minimum(target, hit_probability(draft, count)).sum(axis=-1)
        columns[f"selfish_{count}"] = inside + hit - alone
        for name, verifier in VERIFIERS.items():
            accepted = verifier.law(draft, target, count).accepted
            passed, replaced = hit - (accepted * ~cut).sum(axis=-1), inside - (accepted * cut).sum(axis=-1)
            columns |= {
                f"{name}_{count}_gap": passed + replaced,
                f"{name}_{count}_passed": passed,
                f"{name}_{count}_replaced": replaced,
            }
    return columns


def _shares(positions: pd.DataFrame) -> Records:
    """Average the share of the optimum within each prompt, then over prompts; and the parts of the loss."""
    records: Records = []
    for setting, part in positions.groupby(SETTING, sort=False):
        for name, verifier in VERIFIERS.items():
            for count in DRAFT_COUNTS:
                gap, best = part[f"{name}_{count}_gap"], part[f"optimal_{count}"]
                share = _share(part, name, count)
                records.append(
                    {
                        **dict(zip(SETTING, setting, strict=True)),
                        "verifier": name,
                        "label": verifier.label,
                        "num_drafts": count,
                        **over_prompts(share, part["prompt"], 0.0, 1.0),
                        "least": float(share.min()),
                        "acceptance": float((best - gap).mean()),
                        "optimum": float(best.mean()),
                        "passed_over": float(part[f"{name}_{count}_passed"].mean()),
                        "replaced": float(part[f"{name}_{count}_replaced"].mean()),
                        "lost": float(gap.mean()),
                        "prompts": part["prompt"].nunique(),
                        "positions": len(part),
                    }
                )
    return records


def _share(positions: pd.DataFrame, name: str, count: int) -> pd.Series:
    gap, best = positions[f"{name}_{count}_gap"], positions[f"optimal_{count}"]
    return (1.0 - gap / best).where(best > 0, 1.0)  # of nothing, nothing is all


def _hardest(positions: pd.DataFrame) -> Records:
    """Find for each rule and number of drafts the position with the least share, and say how it is lost there."""
    records: Records = []
    for name, verifier in VERIFIERS.items():
        for count in DRAFT_COUNTS:
            share = _share(positions, name, count)
            place = positions.loc[share.idxmin()]
            records.append(
                {
                    "verifier": name,
                    "label": verifier.label,
                    "num_drafts": count,
                    "mean": float(share.mean()),
                    "least": float(share.min()),
                    **{key: place[key] for key in (*SETTING, "id", "position", "tv")},
                    "passed_over": float(place[f"{name}_{count}_passed"]),
                    "replaced": float(place[f"{name}_{count}_replaced"]),
                }
            )
    return records


def _losses(positions: pd.DataFrame) -> Records:
    """Put each position's loss beside its total variation, for the figure, and say which part it is."""
    count = SHOWN_COUNT
    return [
        {
            **{key: place[key] for key in (*SETTING, "prompt", "id", "position", "tv")},
            "verifier": name,
            "label": VERIFIERS[name].label,
            "num_drafts": count,
            "wanted": place[f"wanted_{count}"],
            "lost": place[f"{name}_{count}_gap"],
            "passed_over": place[f"{name}_{count}_passed"],
        }
        for place in positions.to_dict("records")
        for name in VERIFIERS
    ]
