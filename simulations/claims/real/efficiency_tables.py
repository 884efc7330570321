"""What the runs of SpecTr come to: block efficiency, gains on the clock, and both beside the paper's Table 1."""

from __future__ import annotations

from typing import TYPE_CHECKING

from specproof.simulations.claims.real.confidence import over_prompts
from specproof.simulations.experiments.cell import Records
from specproof.theory.verifiers import VERIFIERS

if TYPE_CHECKING:
    import pandas as pd

ONE_DRAFT, FLAGSHIP = "single", "kseq"
ALONE = "none"
"""Stands for the verifier where the target decodes alone."""

SOURCE = "Sun et al. 2023, arXiv 2310.15141, Table 1: PaLM-2 models on LM1B, K = L = 8"
PAPER = (
    ("block efficiency of one draft", ONE_DRAFT, 1, "efficiency", 2.9),
    ("block efficiency of K-SEQ", FLAGSHIP, 8, "efficiency", 4.0),
    ("wall-clock gain of K-SEQ over the target alone", FLAGSHIP, 8, "gain", 2.13),
    ("wall-clock gain of K-SEQ over one draft", FLAGSHIP, 8, "gain_over_one", 1.37),
)
"""What the paper reports: in words, for which verifier and number of drafts, our column for it, and the value."""

PAPER_LENGTH = 8
COUNTED = "other models and texts; counted, so that hardware has no part in it"
TIMED = "other models, texts and hardware; here c = {cost:.2f}, and K sequences in one batch cost more than one"
"""What differs from the paper; c is the cost of a draft step in calls of the target, measured beside the gains."""

KEYS = ["verifier", "num_drafts", "draft_length"]
SUMMED = ["tokens", "target_calls", "wall_draft", "wall_target", "wall_selection", "wall", "process"]
EXPLAINING = ["gain_process", "predicted", "cost", "draft_step", "target_call", "selection"]


def _ratios(runs: pd.DataFrame) -> pd.DataFrame:
    """Relate sums over runs to those of the target alone and of one draft of the same length, one row a configuration.

    Times are in units of a call of the target alone: ``cost`` is a draft step of one sequence, c; ``draft_step`` one of
    all K together, ``target_call`` the pass over K (L + 1) tokens. ``predicted`` is the gain that block efficiency
    alone would give, tokens per call / (L c + 1): if K sequences cost what one does and a long pass what a short one.
    """
    sums = runs.groupby(KEYS, sort=False)[SUMMED].sum().reset_index()
    alone = sums[sums["verifier"] == ALONE].iloc[0]
    call, calls, length = alone["wall"] / alone["target_calls"], sums["target_calls"], sums["draft_length"]
    ratios = sums[KEYS].assign(
        efficiency=sums["tokens"] / calls,
        gain=sums["tokens"] / sums["wall"] * call,
        gain_process=sums["tokens"] / sums["process"] * alone["process"] / alone["target_calls"],
        draft_step=sums["wall_draft"] / (calls * length).where(length > 0) / call,
        target_call=sums["wall_target"] / calls / call,
        selection=sums["wall_selection"] / calls / call,
    )
    one = ratios[ratios["verifier"] == ONE_DRAFT].set_index("draft_length")
    ratios["gain_over_one"] = ratios["gain"] / length.map(one["gain"])
    ratios["cost"] = one["draft_step"].mean()
    ratios["predicted"] = ratios["efficiency"] / (length * ratios["cost"] + 1.0)
    return ratios.set_index(KEYS)


def jackknife(runs: pd.DataFrame) -> pd.DataFrame:
    """Make one value of every ratio for each prompt, whose mean is the ratio without its bias of first order.

    A text that is lucky needs fewer rounds, so that the mean of ratios would be too large. These are the pseudo-values
    of the jackknife, which leaves out one prompt at a time; Student's interval of their mean is one of the ratio.
    """
    import pandas as pd

    together, prompts = _ratios(runs), runs["prompt"].unique()
    if len(prompts) == 1:
        return together.assign(prompt=prompts[0]).reset_index()
    count = len(prompts)
    parts = [
        (count * together - (count - 1) * _ratios(runs[runs["prompt"] != prompt])).assign(prompt=prompt)
        for prompt in prompts
    ]
    return pd.concat(parts).reset_index()


def summarise(values: pd.DataFrame) -> Records:
    """Average over prompts: block efficiency and gain with intervals, and where the time of a round went."""
    records: Records = []
    for (verifier, count, length), part in values.groupby(KEYS, sort=False):
        found = over_prompts(part["efficiency"], part["prompt"], 1.0, length + 1.0)
        gain = over_prompts(part["gain"], part["prompt"], 0.0)
        records.append(
            {
                "verifier": verifier,
                "label": VERIFIERS[verifier].label if verifier in VERIFIERS else "target alone",
                "num_drafts": count,
                "draft_length": length,
                **found,
                "gain": gain["mean"],
                "gain_low": gain["low"],
                "gain_high": gain["high"],
                **{name: float(part[name].mean()) for name in EXPLAINING},
                "prompts": len(part),
            }
        )
    return records


def beside_the_paper(values: pd.DataFrame) -> Records:
    """Put what was found here beside what the paper reports."""
    records: Records = []
    for quantity, verifier, count, column, reported in PAPER:
        where = {"verifier": verifier, "num_drafts": count, "draft_length": PAPER_LENGTH}
        part = values[values[KEYS].eq(list(where.values())).all(axis=1)]
        found = over_prompts(part[column], part["prompt"])
        here = {"here": found["mean"], "low": found["low"], "high": found["high"], "level": found["level"]}
        differs = COUNTED if column == "efficiency" else TIMED.format(cost=float(part["cost"].mean()))
        records.append({"quantity": quantity, **where, "paper": reported, **here, "source": SOURCE, "differs": differs})
    return records
