"""A trace from log-probabilities of the texts' own tokens, as serving engines return them."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from specproof import __version__
from specproof.simulations.traces.logprob_forms import Scored, ScoredText, read_scores
from specproof.simulations.traces.overlap_bounds import overlap_bounds, rank
from specproof.simulations.traces.parts import Capture, Columns, ShowProgress, silent
from specproof.simulations.traces.trace import Trace
from specproof.simulations.traces.trace_header import TextRecord, TraceHeader
from specproof.theory.display import shown
from specproof.theory.errors import InvalidInput
from specproof.theory.sampling_settings import SamplingSettings

MODELS = ("draft", "target")

MOST_TOGETHER = 1.01
"""Probabilities listed at a position add up to no more than this, or they are none."""

Text = tuple[TextRecord, list[Scored], list[Scored]]
"""A text with its positions under draft and target."""


def capture_logprobs(
    texts: str | Path | Iterable[Any],
    out: str | Path | None = None,
    *,
    settings: SamplingSettings | None = None,
    progress: ShowProgress = silent,
) -> Trace:
    """Read texts that a server has scored under both models.

    The log-probabilities of the texts' own tokens are all that one draft, block verification and exact match need.
    Lists of likeliest tokens add bounds of the overlap, and ranks under the draft where they decide them. Rules of
    several drafts need full distributions.

    Parameters
    ----------
    texts : path of a file of JSON lines, or iterable of dict
        Each text has ``draft`` and ``target``, in one of the forms that servers return: a list of log-probabilities;
        the object ``logprobs`` of an OpenAI chat or completion; vLLM's list ``prompt_logprobs``; or a response with one
        of these. It may have an ``id``, by default its number, which texts of one prompt should share, and ``ended``,
        whether it ended by itself, by default whether the target's ``finish_reason`` is "stop".
    out : path, optional
        Where the trace is written.
    settings : SamplingSettings, optional
        What the texts were sampled with, for the record. Nothing is applied: the log-probabilities must be those of the
        distributions that the tokens were drawn from, after temperature and filters.
    progress : callable
        Shows how far it is; nothing does by default.

    Raises
    ------
    InvalidInput
        If the file cannot be read, a line is no such text, a log-probability is NaN or above 0, a token has target
        probability 0, draft and target tell of different tokens, or the trace cannot be written.

    Examples
    --------
    >>> from specproof.traces import capture_logprobs
    >>> trace = capture_logprobs([{"id": "a", "draft": [-0.5, -2.0], "target": [-0.25, -0.125]}])
    >>> trace.table["draft_logprob"].tolist()
    [-0.5, -2.0]
    >>> trace.table[["overlap_low", "overlap_high"]].round(2).to_numpy().tolist()
    [[0.61, 0.83], [0.14, 0.25]]
    """
    from_file = isinstance(texts, str | Path)
    entries = _lines(Path(texts)) if isinstance(texts, str | Path) else _numbered(texts)
    read = [_text(entry, where, number) for number, where, entry in entries]
    if not read:
        raise InvalidInput(f"{texts if from_file else 'texts'} holds no text: give at least one")
    stated, models = settings or SamplingSettings(), str(texts) if from_file else "log-probabilities"
    temperature = stated.temperature
    header = TraceHeader(
        "logprobs", models, (), settings=stated, draft_temperatures=(temperature,), version=__version__
    )
    records = tuple(record for record, _, _ in read)
    capture = Capture(header, (f"{len(read)} texts",), lambda *_: _columns(read, temperature), lambda _columns: records)
    return capture.run(None if out is None else Path(out), progress=progress)


def _numbered(texts: Iterable[Any]) -> Iterator[tuple[int, str, Any]]:
    return ((number, f"texts[{number}]", entry) for number, entry in enumerate(texts))


def _lines(path: Path) -> Iterator[tuple[int, str, Any]]:
    """Read JSON lines, giving each its number and what messages call it."""
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield number, f"{path}, line {number}", _parse(line, f"{path}, line {number}")
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read ({error.strerror}): give a file of JSON lines") from None
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path} is not UTF-8 at byte {error.start}: save it as UTF-8 text") from None


def _parse(line: str, where: str) -> Any:
    try:
        return json.loads(line)
    except ValueError as error:
        cut = "it was cut off, so write it anew or remove it" if not line.endswith("\n") else "write one object a line"
        raise InvalidInput(f"{where} is not JSON ({error}): {cut}") from None


def _text(entry: Any, where: str, number: int) -> Text:
    if not isinstance(entry, dict):
        raise InvalidInput(f"{where} is {shown(entry)}: give an object with draft and target")
    for model in MODELS:
        if model not in entry:
            raise InvalidInput(f"{where} has no field {model!r}: give what both models say of the text")
    scored = [read_scores(entry[model], f"{where}, field {model}") for model in MODELS]
    draft, target = _aligned(scored, where)
    for position, pair in enumerate(zip(draft, target, strict=True)):
        _check_position(*pair, f"{where}, position {position}")
    ended = entry.get("ended", scored[1].ended or False)
    if not isinstance(ended, bool):
        raise InvalidInput(f"{where}, field ended is {shown(ended)}: it is true or false")
    return TextRecord(str(entry.get("id", number)), len(target), ended), draft, target


def _aligned(scored: list[ScoredText], where: str) -> list[list[Scored]]:
    """Leave out a prompt that only one of the models was asked about."""
    lengths = [len(text.positions) for text in scored]
    shorter, longer = sorted((0, 1), key=lambda model: lengths[model])
    if not lengths[shorter]:
        raise InvalidInput(f"{where}, field {MODELS[shorter]} has no tokens: give at least one, or leave the text out")
    fits = scored[longer].with_prompt and not scored[shorter].with_prompt
    if lengths[0] != lengths[1] and not fits:
        raise InvalidInput(
            f"{where}: field draft has {lengths[0]} tokens and field target {lengths[1]}: give the same text to both"
        )
    return [text.positions[-lengths[shorter] :] for text in scored]


def _check_position(draft: Scored, target: Scored, where: str) -> None:
    for field in ("token", "text"):
        named = [getattr(scored.chosen, field) for scored in (draft, target)]
        if None not in named and named[0] != named[1]:
            raise InvalidInput(
                f"{where}: the token is {shown(named[0])} in field draft and {shown(named[1])} in field target: give "
                "the same text to both, under one tokenizer"
            )
    if target.chosen.logprob == -math.inf:
        raise InvalidInput(
            f"{where}: the token has target probability 0: the text was not sampled from this target at these "
            "settings, or the server did not tell, so ask it for the log-probabilities that it sampled from"
        )
    for model, scored in zip(MODELS, (draft, target), strict=True):
        together = math.fsum(math.exp(listed.logprob) for listed in (scored.chosen, *scored.others))
        if together > MOST_TOGETHER:
            raise InvalidInput(
                f"{where}: the probabilities that field {model} lists add up to {together:.4g}: give natural "
                "logarithms of probabilities"
            )


def _columns(texts: list[Text], temperature: float) -> Columns:
    """Put all texts into the columns of a trace."""
    rows = [
        (text, position, *_measured(*pair))
        for text, (_, draft, target) in enumerate(texts)
        for position, pair in enumerate(zip(draft, target, strict=True))
    ]
    names = (
        "text",
        "position",
        "token",
        "draft_logprob",
        "target_logprob",
        "overlap_low",
        "overlap_high",
        "draft_rank",
    )
    columns: Columns = {name: np.array(values) for name, values in zip(names, zip(*rows, strict=True), strict=True)}
    low, high = columns["overlap_low"], columns["overlap_high"]
    return columns | {
        "overlap": np.where(low == high, low, np.nan),
        "draft_temperature": np.full(len(rows), temperature),
    }


def _measured(draft: Scored, target: Scored) -> tuple[float, ...]:
    ids = [scored.chosen.token for scored in (draft, target) if scored.chosen.token is not None]
    token = ids[0] if ids else -1
    return token, draft.chosen.logprob, target.chosen.logprob, *overlap_bounds(draft, target), rank(draft)
