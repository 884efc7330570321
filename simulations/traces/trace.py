"""A trace and its file: one Parquet table with a row for each position of each text, and a header that explains it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from specproof.simulations.experiments.whole_files import whole_file
from specproof.simulations.traces.trace_header import TextRecord, TraceHeader
from specproof.theory.errors import InvalidInput

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

KEY = b"specproof.trace"
"""The header stands under this key in the metadata of the Parquet schema."""

AGREEMENT = "agreement_"
"""Columns of the agreement at the text's token begin with this; the verifier's name follows."""

ACCEPTED_DISTINCT = "accepted_distinct"
"""The column of recursive rejection without replacement, whose values are unbiased estimates."""

DRAFTED = "drafted"
"""The column of drafts that are looked up: whether a call that starts there drafts at all."""

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
        ``drafted``             whether a call that starts there drafts at all
        ======================  =======================================================================================

        Those of agreement and ``accepted_distinct`` are there only where both distributions were seen in full, and
        ``drafted`` only where drafts are looked up.

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
    kinds |= {DRAFTED: pa.bool_()} if DRAFTED in table else {}
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
