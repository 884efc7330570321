"""Traces and their files: what is written is read, and what does not fit is refused in one line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet
from traced_chains import traced

from specproof.simulations.traces.trace import COLUMNS, KEY, Trace, pack
from specproof.theory.chain import random_markov_pair
from specproof.theory.errors import InvalidInput
from specproof.theory.sampling_settings import SamplingSettings

PAIR = random_markov_pair(4, 2, np.random.default_rng(5), stationary=True)


@pytest.fixture(scope="module")
def trace() -> Trace:
    return traced(*PAIR)


def test_what_is_written_is_read(trace: Trace, tmp_path: Path) -> None:
    kept = Trace(replace(trace.header, settings=SamplingSettings(0.7, top_k=3), seed=4, vocabulary=4), trace.table)
    kept.write(tmp_path / "trace.parquet")
    found = Trace.read(tmp_path / "trace.parquet")
    assert found.header == kept.header
    assert list(found.table) == list(kept.table)
    for name in found.table:
        one, two = (np.stack(table[name].to_list()) for table in (found.table, kept.table))
        np.testing.assert_array_equal(one, two)


def test_a_stranger_can_read_the_file_without_us(trace: Trace, tmp_path: Path) -> None:
    trace.write(tmp_path / "trace.parquet")
    table = pd.read_parquet(tmp_path / "trace.parquet")
    assert set(COLUMNS) <= set(table)
    assert b'"source": "arrays"' in parquet.read_schema(tmp_path / "trace.parquet").metadata[KEY]


def test_it_is_small(tmp_path: Path) -> None:
    trace = traced(*PAIR, texts=2, length=300, num_drafts=8)
    trace.write(tmp_path / "trace.parquet")
    assert (tmp_path / "trace.parquet").stat().st_size < 1500 * len(trace.table)


def test_each_text_comes_with_its_rows(trace: Trace) -> None:
    for number, (record, rows) in enumerate(trace.texts()):
        assert record.name == f"prompt-{number}"
        assert rows["position"].tolist() == list(range(record.tokens))
        assert (rows["text"] == number).all()


def test_a_temperature_that_was_not_captured(trace: Trace) -> None:
    with pytest.raises(InvalidInput, match=r"draft_temperature is 0\.5: the trace was captured at 1\.0"):
        next(trace.texts(0.5))


def columns_of(trace: Trace) -> dict[str, np.ndarray]:
    return {
        name: np.stack(values.to_list()) if values.dtype == object else values.to_numpy()
        for name, values in trace.table.items()
    }


def test_a_token_that_the_target_cannot_emit(trace: Trace) -> None:
    columns = columns_of(trace)
    columns["target_logprob"] = np.where(np.arange(36) == 17, -np.inf, columns["target_logprob"])
    with pytest.raises(InvalidInput, match=r"text 1 \(prompt-1\), position 5, token \d, has target probability 0"):
        pack(trace.header, columns)


@pytest.mark.parametrize("value", [0.5, np.nan])
def test_a_log_probability_that_is_none(trace: Trace, value: float) -> None:
    columns = columns_of(trace)
    columns["draft_logprob"] = np.where(np.arange(36) == 3, value, columns["draft_logprob"])
    with pytest.raises(InvalidInput, match=r"text 0 \(prompt-0\), position 3 has draft_logprob"):
        pack(trace.header, columns)


def test_rows_that_are_missing(trace: Trace) -> None:
    with pytest.raises(InvalidInput, match="the trace has 35 rows where its header tells of 36"):
        pack(trace.header, {name: values[1:] for name, values in columns_of(trace).items()})


def test_a_column_that_is_missing(trace: Trace) -> None:
    columns = columns_of(trace)
    del columns["overlap"]
    with pytest.raises(InvalidInput, match="the trace has no column 'overlap'"):
        pack(trace.header, columns)


def test_no_text(trace: Trace) -> None:
    with pytest.raises(InvalidInput, match="the trace has no text"):
        pack(replace(trace.header, texts=()), columns_of(trace))


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({}, "is a Parquet file without a header of ours"),
        ({KEY: b"{"}, "has a damaged header"),
        ({KEY: b"[]"}, "has a damaged header"),
        ({KEY: b'{"format": 1}'}, "has a damaged header"),
        ({KEY: b'{"format": 9}'}, "is a trace of format 9 and this version reads 1"),
    ],
)
def test_other_parquet_files(metadata: dict[bytes, bytes], message: str, tmp_path: Path) -> None:
    parquet.write_table(pa.table({"a": [1]}).replace_schema_metadata(metadata), tmp_path / "other.parquet")
    with pytest.raises(InvalidInput, match=message):
        Trace.read(tmp_path / "other.parquet")


def test_files_that_are_no_parquet(tmp_path: Path) -> None:
    (tmp_path / "text.parquet").write_text("not a table")
    with pytest.raises(InvalidInput, match="is no Parquet file"):
        Trace.read(tmp_path / "text.parquet")
    with pytest.raises(InvalidInput, match="cannot be read"):
        Trace.read(tmp_path / "absent.parquet")


def test_a_file_that_is_cut_off(trace: Trace, tmp_path: Path) -> None:
    trace.write(tmp_path / "trace.parquet")
    whole = (tmp_path / "trace.parquet").read_bytes()
    (tmp_path / "cut.parquet").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InvalidInput, match="is no Parquet file"):
        Trace.read(tmp_path / "cut.parquet")


def test_nothing_half_written_stays(trace: Trace, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidInput, match="cannot write"):
        trace.write(tmp_path / "file" / "trace.parquet")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
