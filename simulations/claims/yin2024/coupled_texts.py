"""Texts of OPT and UNO side by side: one text of both until they part, by a decode of one and then of the other.

The two share drafts and uniforms, and where they reject, their tokens are drawn to agree as often as can be. So one
decode writes the texts of the rule that leads; those of the other are the same, but for a few that go on by a second.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from specproof.simulations.claims.real.prompt_groups import PromptGroup, prepare
from specproof.simulations.claims.yin2024.over_acceptance import (
    EPSILONS,
    LAWS,
    LIKELIHOOD,
    RATIO,
    RULES,
    Writer,
    exact_in_context,
    log_probabilities,
)
from specproof.simulations.experiments.cell import CellContext, Findings, Records
from specproof.theory.distribution import Array

if TYPE_CHECKING:
    import pandas as pd

    from specproof.simulations.language_models.model_pair import ModelPair
    from specproof.simulations.language_models.round_rule import LevelTest

Prompts = Sequence[list[int]]
Decode = Callable[[Prompts, Sequence[Writer], int], "pd.DataFrame"]
"""Continue prompts by these writers up to a horizon: a row for each test, its token and what is exact there."""

LOGS = ["log target", "log draft", *(f"log {rule} {epsilon}" for rule, epsilon in LAWS)]
OTHERS = [f"other {name}" for name in LOGS]

CHUNK = 8
"""Rows that are measured at a time: a few megabytes of a large vocabulary, so that they stay in cache."""


def write(context: CellContext, group: PromptGroup, horizon: int, draft_length: int, copies: int) -> Findings:
    """Continue each prompt several times by both rules for every epsilon, the rules leading in turn.

    Tables: the tests made (``positions``), the texts with the logarithm of what each law gives them
    (``continuations``), and what the two judges that are exact say of them (``scores``).
    """
    import pandas as pd

    models, encoded = prepare(group)
    leads = pd.DataFrame(
        [
            {"prompt": prompt, "copy": copy, "rule": list(RULES)[copy % len(RULES)], "epsilon": epsilon}
            for prompt in range(len(encoded))
            for copy in range(copies)
            for epsilon in EPSILONS
        ]
    )
    decode = partial(_decode, models, context.rng, draft_length)
    writers = [Writer(*row) for row in leads[["rule", "epsilon"]].itertuples(index=False)]
    led = decode([encoded[prompt] for prompt in leads["prompt"]], writers, horizon)
    parting = led[led["other"] != led["token"]].groupby("text").head(1).set_index("text")
    begun = _begun(led, parting)
    followed = _follow(decode, begun, leads, encoded, horizon, models.target.eos_ids)
    tests, written = _joined(led, followed), _joined(led, begun, followed)
    texts = _texts(written, leads, parting.index, models)
    tested = tests.drop(columns=[*LOGS, *OTHERS, "token", "other"]).reset_index(drop=True)
    positions = _described(tested, leads).drop(columns="text")
    return Findings(tables={name: _records(table, group) for name, table in (("positions", positions), *texts.items())})


def _decode(
    models: ModelPair,
    rng: np.random.Generator,
    draft_length: int,
    prompts: Prompts,
    writers: Sequence[Writer],
    horizon: int,
) -> pd.DataFrame:
    import pandas as pd

    from specproof.simulations.language_models.decoding import speculative_decode
    from specproof.simulations.language_models.level_by_level import SideBySide

    kinds = list(dict.fromkeys(writers))
    # No bonus token: every emitted position is tested, as the paper counts.
    rule = SideBySide(
        bonus=False,
        verifiers=tuple(writer.sampler() for writer in kinds),
        chosen=[kinds.index(writer) for writer in writers],
    )
    measure = partial(_measure, writers=writers, rng=rng)
    run = speculative_decode(models, list(prompts), horizon, draft_length, rule, rng, measure=measure)
    found = pd.DataFrame(dict(run.measured)).astype({"other": np.int64})
    return found.assign(
        text=run.text, position=run.position, token=run.emitted, tv=run.tv, rejected=run.rejected, follows=False
    )


def _measure(test: LevelTest, writers: Sequence[Writer], rng: np.random.Generator) -> dict[str, Array]:
    """Draw the other rule's tokens, and compute what is exact, a few rows at a time."""
    uniforms = rng.random((len(test.text), 2))
    chunks = [slice(start, start + CHUNK) for start in range(0, len(test.text), CHUNK)]
    found = [_measure_rows(test, [writers[text] for text in test.text[rows]], rows, uniforms[rows]) for rows in chunks]
    return {name: np.concatenate([part[name] for part in found]) for name in found[0]}


def _measure_rows(test: LevelTest, writers: Sequence[Writer], rows: slice, uniforms: Array) -> dict[str, Array]:
    draft, target, tokens = test.draft[rows], test.target[rows], test.selection.tokens[rows]
    other = tokens.copy()
    for row in np.flatnonzero(test.selection.accepted[rows] < 0).tolist():
        one = slice(row, row + 1)
        other[one] = writers[row].couple(draft[one], target[one], tokens[one], uniforms[one])
    return {
        "other": other.astype(np.float64),
        **exact_in_context(draft, target, np.array([writer.epsilon for writer in writers])),
        **dict(zip(LOGS, log_probabilities(draft, target, tokens).T, strict=True)),
        **dict(zip(OTHERS, log_probabilities(draft, target, other).T, strict=True)),
    }


def _begun(led: pd.DataFrame, parting: pd.DataFrame) -> pd.DataFrame:
    """Give the other rule's texts up to the token with which they part; they have the numbers of the leading ones."""
    ends = led["text"].map(parting["position"])
    shared = led[led["position"] < ends]
    last = parting.drop(columns=LOGS).rename(columns=dict(zip(OTHERS, LOGS, strict=True)))
    last = last.assign(token=parting["other"]).reset_index()
    columns = ["text", "position", "token", *LOGS]
    return _joined(shared[columns], last[columns]).assign(follows=True)


def _follow(
    decode: Decode,
    begun: pd.DataFrame,
    leads: pd.DataFrame,
    encoded: Prompts,
    horizon: int,
    ends: Sequence[int],
) -> pd.DataFrame:
    """Go on with the other rule's texts where they have room."""
    tokens = begun.sort_values(["text", "position"]).groupby("text")["token"].agg(list)
    going = tokens[(tokens.map(len) < horizon) & ~tokens.map(lambda ids: ids[-1] in ends)]
    if going.empty:
        return begun.iloc[:0]
    prompts = [encoded[leads["prompt"][text]] + ids for text, ids in going.items()]
    writers = [Writer(leads["rule"][text], leads["epsilon"][text]).other for text in going.index]
    lengths = going.map(len).to_numpy()
    found = decode(prompts, writers, horizon - int(lengths.min()))
    found["position"] += lengths[found["text"]]
    found["text"] = going.index.to_numpy()[found["text"]]
    return found[found["position"] < horizon].assign(follows=True)


def _texts(
    written: pd.DataFrame, leads: pd.DataFrame, parted: pd.Index[int], models: ModelPair
) -> dict[str, pd.DataFrame]:
    """Make the tables of whole texts, each with who wrote it: both rules, or one of them."""
    import pandas as pd

    ordered = written.sort_values(["follows", "text", "position"])
    groups = ordered.groupby(["follows", "text"], sort=False)
    texts = groups[LOGS].sum().join(groups["token"].agg(list).rename("tokens")).reset_index()
    texts = _described(texts, leads)
    alone = texts["text"].isin(parted)
    for rule in RULES:
        texts[rule] = ~alone | (texts["rule"] == rule)
    keys = ["prompt", "epsilon", "copy", *RULES]
    judged = {
        LIKELIHOOD: texts["log target"] / texts["tokens"].map(len),
        RATIO: texts["log target"] - texts["log draft"],
    }
    scores = pd.concat([texts[keys].assign(judge=judge, score=score) for judge, score in judged.items()])
    read = [models.tokenizer.decode(tokens, skip_special_tokens=True) for tokens in texts["tokens"]]
    return {"continuations": texts[[*keys, "tokens", *LOGS]].assign(text=read), "scores": scores}


def _described(rows: pd.DataFrame, leads: pd.DataFrame) -> pd.DataFrame:
    """Say of which prompt, copy, rule and epsilon the rows are."""
    found = rows.join(leads, on="text")
    found["rule"] = np.where(found.pop("follows"), found["rule"].map({"opt": "uno", "uno": "opt"}), found["rule"])
    return found


def _joined(*parts: pd.DataFrame) -> pd.DataFrame:
    """Put rows together; an empty table, as where no text parts, must not change the types of the others."""
    import pandas as pd

    return pd.concat([part for part in parts if len(part)] or [*parts[:1]], ignore_index=True)


def _records(table: pd.DataFrame, group: PromptGroup) -> Records:
    numbered = table.assign(prompt=table["prompt"] + group["first"], pair=group["pair"])
    records: Records = numbered.to_dict(orient="records")
    return records
