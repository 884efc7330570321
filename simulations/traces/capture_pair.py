"""A trace from a pair of models: text is sampled from the target, and both distributions are measured on the way."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from specproof.simulations.language_models.pair_names import DEFAULT_PAIR
from specproof.simulations.language_models.pairs import load_pair, resolve_device
from specproof.simulations.language_models.prompts import Prompt, encode, load_prompts
from specproof.simulations.traces.lookup import drafted_column
from specproof.simulations.traces.measuring import Measurement, make_measurement
from specproof.simulations.traces.parts import Capture, Columns, Progress, ShowProgress, silent
from specproof.simulations.traces.trace import DRAFTED, Trace
from specproof.simulations.traces.trace_header import TextRecord
from specproof.simulations.traces.walked_texts import measure_steps, pairs_of, text_records
from specproof.theory.integers import positive_integer
from specproof.theory.sampling_settings import SamplingSettings

if TYPE_CHECKING:
    from specproof.simulations.language_models.model_pair import ModelPair

TOKENS, BATCH, NUM_DRAFTS = 64, 28, 8
"""Tokens a text, texts a group and drafts, where nothing else is asked for."""


def capture_pair(
    pair: str = DEFAULT_PAIR,
    out: str | Path | None = None,
    *,
    prompts: str | Path | None = None,
    tokens: int = TOKENS,
    settings: SamplingSettings | None = None,
    draft_temperatures: Sequence[float] | None = None,
    num_drafts: int = NUM_DRAFTS,
    seed: int = 0,
    device: str = "auto",
    batch: int = BATCH,
    fresh: bool = False,
    progress: ShowProgress = silent,
) -> Trace:
    """Sample a text from the target after each prompt, and measure both models along it.

    Texts are sampled in groups, all of a group one token at a time. No more of the distributions than those of one
    position of a group are in memory. A finished group is kept in a folder beside ``out`` until all are, so that the
    same call goes on where it was interrupted; the trace does not depend on how often it was.

    Parameters
    ----------
    pair : str
        A pair's name, such as ``rtn:4`` or ``hf:DRAFT,TARGET``; ``specproof models`` lists them.
    out : path, optional
        Where the trace is written.
    prompts : path, optional
        A file of JSON lines with a ``text`` each, by default the prompts that come with the package.
    tokens : int
        A text is cut after so many tokens, if it has not ended by itself.
    settings : SamplingSettings, optional
        How the text is sampled, by default at temperature 1 without filters. The draft's logits go through the same
        but for their temperature.
    draft_temperatures : sequence of float, optional
        The draft is measured at each of these, by default at the temperature of the settings.
    num_drafts : int
        Agreement is measured for 1 to so many drafts; with 0, or a draft that is looked up, only rules of one draft can
        be priced.
    seed : int
        Root of every random stream.
    device : str
        auto, cpu or cuda.
    batch : int
        Texts a group. The random streams are dealt out to groups, so that another size gives other texts.
    fresh : bool
        Remove what an interrupted capture has left, and begin anew.
    progress : callable
        Shows how far it is; nothing does by default.

    Raises
    ------
    InvalidInput
        If an argument cannot be used, the extra ``llm`` is not installed, a model cannot be loaded, its context is too
        short, what was kept is of other settings, or the trace cannot be written.

    Examples
    --------
    >>> from specproof.theory import SamplingSettings
    >>> from specproof.traces import capture_pair
    >>> warm = SamplingSettings(0.8, top_p=0.95)
    >>> trace = capture_pair("rtn:4", "trace.parquet", tokens=48, settings=warm)  # doctest: +SKIP
    """
    measurement = make_measurement(settings, draft_temperatures, num_drafts, seed)
    sizes = positive_integer(tokens, "tokens"), positive_integer(batch, "batch")
    asked = load_prompts(prompts)
    models = load_pair(pair, resolve_device(device))
    return capture_of(models, asked, *sizes, measurement).run(
        None if out is None else Path(out), fresh=fresh, progress=progress
    )


def capture_of(models: ModelPair, prompts: list[Prompt], tokens: int, batch: int, measurement: Measurement) -> Capture:
    """Plan the capture of a pair that is loaded.

    No agreement is measured of a draft that is looked up: all its sequences would be the same guess.

    Raises
    ------
    InvalidInput
        If a prompt has no tokens, or the context of a model is too short.
    """
    from specproof.simulations.language_models.texts import check_request

    encoded = encode(prompts, models.tokenizer)
    check_request(encoded, tokens, (models.draft, models.target))
    if models.looks_up:
        measurement = replace(measurement, num_drafts=0, verifiers=())
    walk = _Walk(models, tuple(prompt.id for prompt in prompts), encoded, tokens, batch, measurement)
    digest = hashlib.sha256(json.dumps([asdict(prompt) for prompt in prompts]).encode()).hexdigest()
    settings = {"pair": models.name, "device": models.target.device, "prompts": digest[:16], "tokens": tokens}
    return Capture(
        measurement.header("pair", models.name, models.target.vocabulary),
        tuple(walk.group_name(first) for first in range(0, len(prompts), batch)),
        walk.measure,
        walk.texts,
        {**settings, "batch": batch, **measurement.asked()},
    )


@dataclass(frozen=True)
class _Walk:
    """Groups of prompts, each continued side by side."""

    models: ModelPair
    names: tuple[str, ...]
    encoded: list[list[int]]
    tokens: int
    batch: int
    measurement: Measurement

    def group_name(self, first: int) -> str:
        """Name a group by its first prompt and its last."""
        last = min(first + self.batch, len(self.names)) - 1
        return f"texts {first + 1} to {last + 1} of {len(self.names)}"

    def measure(self, group: int, progress: Progress) -> Columns:
        """Sample the texts of a group, and measure each position as soon as it is reached."""
        from specproof.simulations.language_models.walking import walk_target

        first = group * self.batch
        texts, histories = self.measurement.streams(group, 2)
        pairs = pairs_of(self.models, self.measurement)
        steps = walk_target(pairs[0], self.encoded[first : first + self.batch], self.tokens, texts)
        columns = measure_steps(
            steps, pairs, self.measurement, histories, first=first, progress=progress, positions=self.tokens
        )
        longest = self.models.looks_up
        return columns | ({DRAFTED: drafted_column(columns, self.encoded, longest)} if longest else {})

    def texts(self, columns: Columns) -> tuple[TextRecord, ...]:
        """Tell of all texts."""
        return text_records(columns, self.names, self.models.target.eos_ids)
