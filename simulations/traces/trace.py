"""A trace and its file: one Parquet table with a row for each position of each text, and a header that explains it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from specproof.simulations.experiments.store import whole_file
from specproof.theory.errors import InvalidInput
from specproof.theory.sampling_settings import SamplingSettings

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

FORMAT = 1
"""The version of the format that is written, and the only one that is read."""

KEY = b"specproof.trace"
"""The header stands under this key in the metadata of the Parquet schema."""

AGREEMENT = "agreement_"
"""Columns of the agreement at the text's token begin with this; the verifier's name follows."""

ACCEPTED_DISTINCT = "accepted_distinct"
"""The column of recursive rejection without replacement, whose values are unbiased estimates."""

COLUMNS = {
    "text": "int32",
    "position": "int32",
    "token": "int64",
    "draft_temperature": "float64",
    "draft_logprob": "float64",
    "target_logprob": "float64",
    "overlap": "float64",
    "overlap_low": "float64",
    "overlap_high": "float64",
    "draft_rank": "int32",
}
"""The columns that every trace has, with their types; what they mean is said at :class:`Trace`."""


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


@dataclass(frozen=True, eq=False)
class Trace:
    r"""Texts sampled from the target, with what the rules need at each position.

    Attributes
    ----------
    header : TraceHeader
        It says where the trace comes from.
    table : pandas.DataFrame
        There is a row for each position of each text at each draft temperature, with the columns

        ======================  =======================================================================================
        ``text``                number of the text, from 0, as in ``header.texts``
        ``position``            number of the token in its text, from 0
        ``token``               its id
        ``draft_temperature``   what the draft's logits were divided by
        ``draft_logprob``       :math:`\log p(x)`, which may be -inf
        ``target_logprob``      :math:`\log q(x)`
        ``overlap``             :math:`\sum_i \min(p_i, q_i)`, the acceptance of one draft; NaN where it is not known
        ``overlap_low, _high``  bounds of it, equal to it where it is known
        ``draft_rank``          how many tokens are likelier under the draft, ties by the smaller id; -1 if not known
        ``agreement_NAME``      for a verifier: the agreement with x for k = 1..K drafts, K (K + 1) / 2 numbers: k = 1,
                                j = 1; k = 2, j = 1; k = 2, j = 2; ...
        ``accepted_distinct``   unbiased estimates of the probability that recursive rejection accepts x among k = 1..K
                                distinct drafts, K numbers
        ======================  =======================================================================================

        The last two kinds are there only where both distributions were seen in full.

    Examples
    --------
    >>> import numpy as np
    >>> from specproof.traces import capture_arrays
    >>> target = np.log([[0.5, 0.5], [0.25, 0.75], [0.5, 0.5], [0.5, 0.5]])
    >>> draft = np.log([[0.75, 0.25]] * 4)
    >>> trace = capture_arrays(draft, target, [0, 1, 1, 0], num_drafts=2)
    >>> trace
    Trace(draft_logits, target_logits: 4 positions of 1 texts)
    >>> trace.table["overlap"].round(3).tolist()
    [0.75, 0.5, 0.75, 0.75]
    """

    header: TraceHeader
    table: pd.DataFrame

    def __repr__(self) -> str:
        sizes = [text.tokens for text in self.header.texts]
        return f"Trace({self.header.models}: {sum(sizes)} positions of {len(sizes)} texts)"

    def texts(self, draft_temperature: float | None = None) -> Iterator[tuple[TextRecord, pd.DataFrame]]:
        """Give each text with its rows at one draft temperature, by default the first of the header.

        Raises
        ------
        InvalidInput
            If the trace was not captured at that temperature.
        """
        wanted = self.header.draft_temperatures[0] if draft_temperature is None else draft_temperature
        if wanted not in self.header.draft_temperatures:
            held = ", ".join(map(str, self.header.draft_temperatures))
            raise InvalidInput(f"draft_temperature is {wanted}: the trace was captured at {held}, so capture it anew")
        rows = self.table[self.table["draft_temperature"] == wanted].groupby("text")
        for number, record in enumerate(self.header.texts):
            yield record, rows.get_group(number)

    def write(self, path: str | Path) -> None:
        """Write the trace, whole or not at all.

        Raises
        ------
        InvalidInput
            If the file cannot be written.
        """
        import pyarrow as pa
        from pyarrow import parquet

        table = pa.Table.from_pandas(self.table, schema=_schema(self.header, self.table), preserve_index=False)
        with whole_file(Path(path)) as temporary:
            parquet.write_table(table, temporary, compression="zstd")

    @classmethod
    def read(cls, path: str | Path) -> Trace:
        """Read a trace.

        Raises
        ------
        InvalidInput
            If the file cannot be read, is no trace, is damaged, or its table does not fit its header.
        """
        import pyarrow as pa
        from pyarrow import parquet

        try:
            table = parquet.read_table(path)
        except OSError as error:
            reason = error.strerror or str(error).splitlines()[0]
            raise InvalidInput(f"trace {path} cannot be read ({reason}): give a file of specproof capture") from None
        except pa.ArrowException as error:
            reason = str(error).splitlines()[0]
            raise InvalidInput(
                f"trace {path} is no Parquet file ({reason}): give a file of specproof capture"
            ) from None
        header = (table.schema.metadata or {}).get(KEY)
        if header is None:
            raise InvalidInput(f"trace {path} is a Parquet file without a header of ours: write it with Trace.write")
        trace = cls(TraceHeader.from_json(header.decode(), f"trace {path}"), table.to_pandas())
        _check(trace, f"trace {path}")
        return trace


def pack(header: TraceHeader, columns: Mapping[str, Any]) -> Trace:
    """Make a trace of its columns, arrays of shape (rows,) or, where a position has several numbers, (rows, m).

    Raises
    ------
    InvalidInput
        If the table does not fit the header.
    """
    import numpy as np
    import pandas as pd

    names = [*(name for name in COLUMNS if name in columns), *(name for name in columns if name not in COLUMNS)]
    table = pd.DataFrame(
        {name: list(columns[name]) if np.ndim(columns[name]) == 2 else columns[name] for name in names}
    )
    trace = Trace(header, table.astype({name: kind for name, kind in COLUMNS.items() if name in table}))
    _check(trace, "the trace")
    return trace


def _schema(header: TraceHeader, table: pd.DataFrame) -> pa.Schema:
    import pyarrow as pa

    kinds = {name: pa.type_for_alias(kind) for name, kind in COLUMNS.items()}
    drafts = header.num_drafts
    kinds |= {f"{AGREEMENT}{name}": pa.list_(pa.float64(), drafts * (drafts + 1) // 2) for name in header.verifiers}
    kinds |= {ACCEPTED_DISTINCT: pa.list_(pa.float64(), drafts)} if ACCEPTED_DISTINCT in table else {}
    return pa.schema(list(kinds.items()), metadata={KEY: header.to_json().encode()})


def _check(trace: Trace, where: str) -> None:
    """Refuse a table that does not fit its header: columns, numbers of rows, and what no text of the target has."""
    header, table = trace.header, trace.table
    for name in (*COLUMNS, *(f"{AGREEMENT}{verifier}" for verifier in header.verifiers)):
        if name not in table:
            raise InvalidInput(f"{where} has no column {name!r}: capture it anew")
    if not header.texts:
        raise InvalidInput(f"{where} has no text: capture at least one")
    sizes = [text.tokens for text in header.texts] * len(header.draft_temperatures)
    if len(table) != sum(sizes):
        raise InvalidInput(f"{where} has {len(table)} rows where its header tells of {sum(sizes)}: capture it anew")
    for name in ("draft_logprob", "target_logprob"):
        wrong = table[~(table[name] <= 0.0)]
        if len(wrong):
            raise InvalidInput(f"{where}: {_place(header, wrong)} has {name} {wrong[name].iloc[0]}: it is at most 0")
    impossible = table[table["target_logprob"] == float("-inf")]
    if len(impossible):
        raise InvalidInput(
            f"{where}: {_place(header, impossible)}, token {impossible['token'].iloc[0]}, has target probability 0: "
            "the text was not sampled from this target at these settings, so give the settings that it was sampled with"
        )


def _place(header: TraceHeader, rows: pd.DataFrame) -> str:
    first = rows.iloc[0]
    return f"text {int(first['text'])} ({header.texts[int(first['text'])].name}), position {int(first['position'])}"
