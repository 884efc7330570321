"""How often OPT beats UNO, by texts and by the next token, and how much text would tell.

Yin et al. (2024, Table 1) compare *independent* continuations of a prompt. Every text that any of the rules wrote says
something of each of them: it counts for a rule with the weight A(text) / M(text), where A is the rule's law and M the
mean of all of them (the balance heuristic of Veach and Guibas 1995). So what the rules have in common cancels.
*Coupled* pairs share drafts and uniforms, and a pair that is one text is a tie.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import scipy  # its parts load when first used

from specproof.simulations.claims.real.confidence import INTERVAL_LEVEL, over_prompts
from specproof.simulations.claims.yin2024.coupled_texts import LOGS
from specproof.simulations.claims.yin2024.over_acceptance import EPSILONS, LAWS, LIKELIHOOD, RATIO, RULES
from specproof.simulations.experiments.cell import Records
from specproof.theory.distribution import Array

if TYPE_CHECKING:
    import pandas as pd

EVEN = 0.5
"""The win rate of two rules that write equally well; a tie counts half."""

INDEPENDENT, COUPLED, NEXT_TOKEN = "independent texts", "coupled texts", "next token, exact"
"""What is compared."""

MISSED = 0.01
"""A win rate as far from one half as is called detectable is missed with this probability."""


def win_rates(positions: pd.DataFrame, texts: pd.DataFrame, scores: pd.DataFrame) -> Records:
    """Tabulate the win rates by epsilon, judge and what is compared, with intervals over prompts."""
    keys = ["pair", "prompt", "epsilon", "copy", *RULES]
    records: Records = []
    for judge, judged in scores.groupby("judge", sort=False):
        seen = texts.merge(judged[[*keys, "score"]], on=keys, validate="one_to_one")
        pooled = {prompt: _independent(own) for prompt, own in seen.groupby("prompt")}
        for number, epsilon in enumerate(EPSILONS):
            rates = {prompt: float(found[number]) for prompt, found in pooled.items()}
            shown = {"epsilon": epsilon, "judge": judge, "pair": str(seen["pair"].iloc[0])}
            records.append({**shown, "compared": INDEPENDENT, **_against_even(_series(rates)), "number": len(seen)})
            duels = _coupled(seen[seen["epsilon"] == epsilon])
            records.append({**shown, "compared": COUPLED, **_against_even(duels), "number": len(duels)})
            column = {LIKELIHOOD: "win_likelihood", RATIO: "win_ratio"}.get(str(judge))
            if column:
                part = positions[positions["epsilon"] == epsilon]
                exact = part.set_index("prompt")[column]
                records.append({**shown, "compared": NEXT_TOKEN, **_against_even(exact), "number": len(part)})
    return records


def score_differences(positions: pd.DataFrame, scores: pd.DataFrame) -> Records:
    """Tabulate OPT's score minus UNO's: of coupled texts, and as exactly expected of the next token in each context."""
    records: Records = []
    for (epsilon, judge), judged in scores.groupby(["epsilon", "judge"], sort=False):
        part = positions[positions["epsilon"] == epsilon]
        found = {COUPLED: _paired(judged, "opt") - _paired(judged, "uno")}
        column = {LIKELIHOOD: "gain_likelihood", RATIO: "gain_ratio"}.get(str(judge))
        if column:
            found[NEXT_TOKEN] = part.set_index("prompt")[column]
        for compared, values in found.items():
            prompts = values.index.get_level_values("prompt").to_series(index=values.index)
            interval = over_prompts(values, prompts)
            shown = {"epsilon": epsilon, "judge": judge, "compared": compared, **interval, "number": len(values)}
            records.append(shown)
    return records


def _series(rates: dict[Any, float]) -> pd.Series:
    import pandas as pd

    return pd.Series(rates).rename_axis("prompt")


def _paired(texts: pd.DataFrame, rule: str) -> pd.Series:
    return texts[texts[rule]].set_index(["prompt", "copy"])["score"].sort_index()


def _coupled(texts: pd.DataFrame) -> pd.Series:
    """Win, loss or tie of each coupled pair: compared and not subtracted, as scores may be infinite."""
    opt, uno = _paired(texts, "opt"), _paired(texts, "uno")
    return EVEN * (1.0 + (opt > uno).astype(float) - (opt < uno).astype(float))


def _independent(texts: pd.DataFrame) -> Array:
    r"""Estimate each epsilon's win rate of independent texts of one prompt, without bias, shape (epsilons,).

    It is :math:`\tfrac12 + \tfrac12 \sum w_i v_j \operatorname{sgn}(s_i - s_j)` over all pairs of texts that do not
    share uniforms, w and v being OPT's and UNO's weights. Two copies of one epsilon are such pairs more rarely than
    those of two epsilons, and count the more.
    """
    logs = texts[LOGS[-len(LAWS) :]].to_numpy()
    weights = np.exp(logs - np.logaddexp.reduce(logs, axis=1, keepdims=True)) * len(LAWS)
    score, epsilon, copy = (texts[name].to_numpy() for name in ("score", "epsilon", "copy"))
    copies = len(np.unique(copy))
    ahead = np.subtract(score[:, None] > score, score[:, None] < score, dtype=np.float64)
    alike = epsilon[:, None] == epsilon
    fresh = np.where(alike, copies / max(copies - 1, 1) * (copy[:, None] != copy), 1.0)
    written = texts[list(RULES)].sum(axis=1).to_numpy()  # a text of both rules stands for two
    pairs = ahead * fresh * np.outer(written, written) / written.sum() ** 2
    won = [weights[:, LAWS.index(("opt", each))] @ pairs @ weights[:, LAWS.index(("uno", each))] for each in EPSILONS]
    return EVEN * (1.0 + np.array(won))


def _against_even(rates: pd.Series) -> dict[str, Any]:
    """Average over prompts, and say whether the interval excludes one half, or how much more text would make it."""
    prompts = rates.index.get_level_values("prompt").to_series(index=rates.index)
    found = over_prompts(rates, prompts, 0.0, 1.0)
    count = prompts.nunique()
    arm, ahead = max(found["high"] - found["mean"], found["mean"] - found["low"]), abs(found["mean"] - EVEN)
    quantiles = scipy.stats.t.isf([MISSED, INTERVAL_LEVEL / 2], max(count - 1, 1))
    more = (arm / ahead) ** 2 if ahead else np.inf
    return {
        **found,
        "even": EVEN,
        "detectable": arm * (1.0 + float(quantiles[0] / quantiles[1])),
        "resolved": bool(ahead > arm),
        "times_the_text": more,
        "prompts_needed": np.ceil(more * count),
        "prompts": count,
    }
