"""The header of a trace: where it comes from, how it was sampled, and its texts, as one JSON object."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from specproof.theory.errors import InvalidInput
from specproof.theory.sampling_settings import SamplingSettings

FORMAT = 1
"""The version of the format that is written, and the only one that is read."""


@dataclass(frozen=True)
class TextRecord:
    """One text of a trace.

    Examples
    --------
    >>> from specproof.traces import TextRecord
    >>> TextRecord("prompt-1", tokens=64, ended=False)
    TextRecord(name='prompt-1', tokens=64, ended=False)
    """

    name: str
    """The id of its prompt: texts of one prompt are dependent, and intervals take them together."""
    tokens: int
    """How many tokens it has."""
    ended: bool
    """Whether it ended by itself; if not, it was cut."""


@dataclass(frozen=True)
class TraceHeader:
    """Where a trace comes from, and all that is needed to read it.

    Examples
    --------
    >>> from specproof.traces import TextRecord, TraceHeader
    >>> header = TraceHeader("arrays", "two chains", (TextRecord("prompt-1", 64, ended=False),))
    >>> TraceHeader.from_json(header.to_json(), "a header") == header
    True
    """

    source: str
    """How it was captured: "pair", "arrays" or "logprobs"."""
    models: str
    """The name of the pair, or the files that were read."""
    texts: tuple[TextRecord, ...]
    """The texts, in the order of their numbers in the table."""
    settings: SamplingSettings = field(default_factory=SamplingSettings)
    """How the text was sampled from the target, and what both distributions went through."""
    draft_temperatures: tuple[float, ...] = (1.0,)
    """The temperatures of the draft; the table has all positions once for each of them."""
    vocabulary: int | None = None
    """How many tokens there are to choose from, where that is known."""
    num_drafts: int = 0
    """The agreement columns hold 1 to so many drafts; 0 where there are none."""
    verifiers: tuple[str, ...] = ()
    """The verifiers that have an agreement column."""
    seed: int | None = None
    """The root seed of the text and of estimates."""
    version: str = ""
    """The version of specproof that wrote it."""

    def to_json(self) -> str:
        """Write the header as a JSON object."""
        return json.dumps({"format": FORMAT, **asdict(self)})

    @classmethod
    def from_json(cls, text: str, where: str) -> TraceHeader:
        """Read a header.

        Raises
        ------
        InvalidInput
            If it is no header, or one of another format; the message begins with ``where``.
        """
        try:
            values: dict[str, Any] = json.loads(text)
            found = values.pop("format")
            if found != FORMAT:
                raise InvalidInput(
                    f"{where} is a trace of format {found} and this version reads {FORMAT}: capture it anew"
                )
            known = {each.name for each in fields(cls)}
            values = {name: value for name, value in values.items() if name in known}
            values["texts"] = tuple(TextRecord(**each) for each in values["texts"])
            values["settings"] = SamplingSettings(**values["settings"])
            values["draft_temperatures"] = tuple(map(float, values["draft_temperatures"]))
            values["verifiers"] = tuple(values["verifiers"])
            return cls(**values)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            if isinstance(error, InvalidInput):
                raise
            raise InvalidInput(f"{where} has a damaged header ({error}): capture it anew") from None
