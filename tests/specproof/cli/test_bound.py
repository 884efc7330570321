"""``specproof bound``: the exact acceptance of every verifier, of probabilities and of logits in files."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import specproof.bound as bound
from specproof.theory.one_position import one_position_rules
from specproof.theory.sampling_settings import SamplingSettings
from specproof.theory.transport import optimal_acceptance
from specproof.theory.verifiers import VERIFIERS

DRAFT, TARGET = np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.3, 0.5])


@pytest.fixture
def saved(tmp_path: Path) -> Callable[[str, Any], Path]:
    """A function that saves an array, or raw bytes, under a name and gives the path."""

    def save(name: str, content: Any) -> Path:
        path = tmp_path / f"{name}.npy"
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            np.save(path, content)
        return path

    return save


def test_bound_of_one_pair(command: Any, saved: Any) -> None:
    words = ["bound", "--draft", saved("p", DRAFT), "--target", saved("q", TARGET), "--num-drafts", 2]
    found = json.loads(command(*words, "--json").out)
    acceptance = found["acceptance"]
    assert found["num_drafts"] == 2
    assert acceptance["single"] == pytest.approx(0.7, abs=1e-15)  # 1 - TV
    # The optimal set is the first two tokens: 1 + 0.5 - 0.8^2; nothing smaller over the other subsets.
    assert acceptance["optimal"] == pytest.approx(0.86, abs=1e-15)
    assert acceptance["single"] < acceptance["kseq"] < acceptance["optimal"]
    assert acceptance["priority"] == pytest.approx(acceptance["optimal"], abs=1e-15)
    table = command(*words).out
    assert "0.860000" in table
    assert "100.00%" in table


def test_bound_of_rows_and_of_logits_is_the_bound_of_each_row(command: Any, saved: Any) -> None:
    rng = np.random.default_rng(3)
    drafts, targets = rng.dirichlet(np.ones(6), 4), rng.dirichlet(np.ones(6), 4)
    probabilities = ["--draft", saved("p", drafts), "--target", saved("q", targets)]
    logits = ["--draft", saved("lp", 0.5 * np.log(drafts)), "--target", saved("lq", 0.5 * np.log(targets)), "--logits"]
    expected = [float(optimal_acceptance(p, q, 3)) for p, q in zip(drafts, targets, strict=True)]
    for words in (probabilities, [*logits, "--temperature", 0.5]):
        found = json.loads(command("bound", *words, "--num-drafts", 3, "--json").out)["acceptance"]
        assert set(found) == set(one_position_rules()) - {"spechub"}  # which takes 2
        np.testing.assert_allclose(found["optimal"], expected, rtol=0, atol=1e-14)
    table = command("bound", *probabilities).out
    assert all(words in table for words in ("4 rows", "mean acceptance", "mean share of optimum"))


def test_the_table_of_rows_has_the_mean_of_their_shares_and_not_the_share_of_the_means(
    command: Any, saved: Any
) -> None:
    """0.2 of 1 + 0.1 - 0.9^2 = 0.29 in one row and 1 of 1 in the other: (0.2/0.29 + 1)/2, not 1.2/1.29."""
    drafts, targets = np.array([[0.9, 0.1], [0.5, 0.5]]), np.array([[0.1, 0.9], [0.5, 0.5]])
    table = command("bound", "--draft", saved("p", drafts), "--target", saved("q", targets), "--num-drafts", 2).out
    rows = [line.split()[1::2] for line in table.splitlines() if "\u2502 single" in line]
    assert rows == [["single", "i.i.d.", "0.600000", "84.48%"]]


def header(shape: str, descr: str = "'<f8'") -> bytes:
    """A .npy file that promises an array and does not have it."""
    text = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    return b"\x93NUMPY\x02\x00" + len(text).to_bytes(4, "little") + text


def saved_bytes(save: Callable[..., None], *content: Any) -> bytes:
    buffer = io.BytesIO()
    save(buffer, *content)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"0.5 0.3 0.2", "is not a whole .npy array", id="text"),
        pytest.param(b"", "is not a whole .npy array", id="empty"),
        pytest.param(b"PK\x03\x04 no archive", "is not a whole .npy array", id="broken-zip"),
        pytest.param(saved_bytes(np.save, DRAFT)[:-1], "is not a whole .npy array", id="truncated"),
        pytest.param(saved_bytes(np.save, np.array([{}, 1], dtype=object)), "is not a whole .npy array", id="pickle"),
        pytest.param(saved_bytes(np.savez, DRAFT), "is not a whole .npy array", id="archive"),
        pytest.param(header("(10000000000000,)"), "is not a whole .npy array", id="too-large"),
        pytest.param(
            header("(3,)", str([(f"f{index}", "<f8") for index in range(2000)])),
            "is not a whole .npy array",
            id="long-header",
        ),
        pytest.param(np.array([0.5, np.nan, 0.5]), "[1] = nan is not finite", id="nan"),
        pytest.param(np.array([0.5, np.inf, 0.5]), "[1] = inf is not finite", id="inf"),
        pytest.param(np.array([-0.5, 1.0, 0.5]), "[0] = -0.5 is negative", id="negative"),
        pytest.param(np.array([[0.2, 0.3, 0.5], [0.1, 0.1, 0.1]]), "[1] sums to 0.3, not 1", id="not-1"),
        pytest.param(np.array(1.0), "shape ()", id="scalar"),
        pytest.param(np.empty(0), "shape (0,)", id="no-token"),
        pytest.param(np.empty((0, 3)), "shape (0, 3)", id="no-row"),
        pytest.param(DRAFT.astype(complex), "complex128", id="complex"),
        pytest.param(np.array([True, False, False]), "bool", id="bool"),
        pytest.param(np.array(["a", "b", "c"]), "<U1", id="words"),
    ],
)
@pytest.mark.parametrize("side", ["draft", "target"])
def test_bad_laws(command: Any, saved: Any, side: str, content: Any, message: str) -> None:
    good, bad = saved("good", DRAFT), saved("bad", content)
    paths = {"--draft": good, "--target": good, f"--{side}": bad}
    line = command("bound", *(word for item in paths.items() for word in item)).complaint
    assert message in line
    assert side in line


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "Missing option"),
        (["--draft", "missing.npy", "--target", "q.npy"], "missing.npy cannot be read"),
        (["--draft", ".", "--target", "q.npy"], "cannot be read"),
        (["--num-drafts", "0"], "num_drafts is 0"),
        (["--num-drafts", "-1"], "num_drafts is -1"),
        (["--num-drafts", "1.5"], "--num-drafts"),
        (["--num-drafts", "1" + "0" * 30], "num_drafts is 1"),
        (["--temperature", "2"], "pass --logits"),
        (["--logits", "--temperature", "0"], "temperature is 0"),
        (["--logits", "--temperature", "nan"], "temperature is nan"),
        (["--logits", "--temperature", "-1"], "temperature is -1"),
        (["--top-k", "5"], "top_k has no meaning for probabilities: leave it out, or pass --logits"),
        (["--top-p", "0.9"], "top_p has no meaning for probabilities"),
        (["--min-p", "0.1"], "min_p has no meaning for probabilities"),
        (["--draft-temperature", "1"], "draft_temperature has no meaning for probabilities"),
        (["--logits", "--top-k", "-1"], "top_k is -1: it must be an integer >= 0"),
        (["--logits", "--top-k", "1.5"], "--top-k"),
        (["--logits", "--top-p", "0"], "top_p is 0.0: it must be one number in (0, 1]"),
        (["--logits", "--top-p", "1.5"], "top_p is 1.5"),
        (["--logits", "--min-p", "1"], "min_p is 1.0: it must be one number in [0, 1)"),
        (["--logits", "--min-p", "nan"], "min_p is nan"),
        (["--logits", "--draft-temperature", "0"], "draft_temperature is 0.0"),
    ],
    ids=str,
)
def test_bad_options_of_bound(
    command: Any, saved: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    saved("q", TARGET)
    laws = ["--draft", "q.npy", "--target", "q.npy"] if words and "--draft" not in words else []
    assert message in command("bound", *laws, *words).complaint


def logits(seed: int, rows: int = 5, vocabulary: int = 12) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    draft = 2 * rng.normal(size=(rows, vocabulary))
    return draft, draft + rng.normal(size=draft.shape)


def test_settings_make_the_distributions_of_logits(command: Any, saved: Any) -> None:
    draft, target = logits(4)
    words = ["bound", "--draft", saved("p", draft), "--target", saved("q", target), "--logits", "--json"]
    filters = ["--temperature", 0.7, "--top-k", 6, "--top-p", 0.9, "--min-p", 0.05]
    for extra, of_draft in (([], 0.7), (["--draft-temperature", 1.5], 1.5)):
        found = json.loads(command(*words, *filters, *extra, "--num-drafts", 2).out)["acceptance"]
        laws = (
            SamplingSettings(of_draft, 6, 0.9, 0.05).distribution(draft),
            SamplingSettings(0.7, 6, 0.9, 0.05).distribution(target),
        )
        assert set(found) == set(one_position_rules())
        for name, verifier in VERIFIERS.items():
            np.testing.assert_allclose(found[name], verifier.law(*laws, 2).acceptance, rtol=0, atol=1e-14)
        plain = json.loads(command(*words, *extra, "--num-drafts", 2).out)["acceptance"]
        assert np.abs(np.subtract(plain["optimal"], found["optimal"])).max() > 0.01


@pytest.mark.parametrize("shorter", ["draft", "target"])
def test_logits_of_a_shorter_vocabulary_are_padded_by_minus_infinity(command: Any, saved: Any, shorter: str) -> None:
    """Zeros, which are right for probabilities, would give the missing tokens much of the probability."""
    laws = dict(zip(("draft", "target"), logits(5), strict=True))
    padded = {**laws, shorter: np.concatenate([laws[shorter][:, :9], np.full((5, 3), -np.inf)], axis=-1)}
    cut = {**laws, shorter: laws[shorter][:, :9]}
    outcomes = [
        command(
            "bound",
            *("--draft", saved(f"p{number}", files["draft"]), "--target", saved(f"q{number}", files["target"])),
            *("--logits", "--json", "--top-p", 0.95),
        )
        for number, files in enumerate((padded, cut))
    ]
    assert outcomes[0].out == outcomes[1].out
    assert outcomes[0].err == ""
    other = "target" if shorter == "draft" else "draft"
    assert outcomes[1].err == (
        f"specproof: note: {shorter} has 9 tokens and {other} has 12: the last 3 have probability 0 in the shorter\n"
    )
    assert outcomes[1].status == 0


def test_probabilities_of_a_shorter_vocabulary_are_padded_by_zeros(command: Any, saved: Any) -> None:
    outcome = command("bound", "--draft", saved("p", [0.5, 0.5]), "--target", saved("q", TARGET), "--json")
    assert json.loads(outcome.out)["acceptance"]["single"] == pytest.approx(0.2 + 0.3, abs=1e-15)
    assert outcome.err.startswith("specproof: note: draft has 2 tokens and target has 3: the last 1 have")


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, ">f4"])
def test_many_chunks_of_rows_are_the_rows(
    command: Any, saved: Any, monkeypatch: pytest.MonkeyPatch, dtype: Any
) -> None:
    draft, target = (np.asfortranarray(values.astype(dtype)) for values in logits(6, rows=23))
    words = ["bound", "--draft", saved("p", draft), "--target", saved("q", target), "--logits", "--json"]
    whole = command(*words)
    monkeypatch.setattr(bound, "CHUNK_ENTRIES", 50)
    chunks = command(*words)
    assert (whole.status, whole.err, chunks.err) == (0, "", "")
    for name, values in json.loads(whole.out)["acceptance"].items():
        np.testing.assert_allclose(json.loads(chunks.out)["acceptance"][name], values, rtol=0, atol=1e-15)


def test_axes_broadcast_and_keep_their_shape(command: Any, saved: Any) -> None:
    draft, target = logits(7, rows=6)
    words = ["--draft", saved("p", draft.reshape(2, 3, 12)), "--target", saved("q", target[0]), "--logits", "--json"]
    found = np.array(json.loads(command("bound", *words).out)["acceptance"]["single"])
    distribution = SamplingSettings().distribution
    expected = np.minimum(distribution(draft), distribution(target[0])).sum(axis=-1).reshape(2, 3)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-14)


def test_float32_rows_of_a_large_vocabulary_are_taken(command: Any, saved: Any) -> None:
    """Added up in turn, their sum is off by rounding: by more than 1e-6, the tolerance for float64."""
    weights = np.exp(np.where(np.arange(152_064) == 0, 0.0, -0.3)).astype(np.float32)
    row = weights / np.cumsum(weights, dtype=np.float32)[-1]
    assert abs(row.sum(dtype=np.float64) - 1) > 1e-4
    words = ["bound", "--draft", saved("p", row), "--target", saved("q", row), "--json"]
    assert json.loads(command(*words).out)["acceptance"]["single"] == pytest.approx(1, abs=1e-9)
    assert "sums to 0.99" in command(*words[:2], saved("p", row.astype(np.float64)), *words[3:]).complaint


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param([[0.0, 1.0], [np.nan, 1.0]], "[1][0] = nan is not a logit", id="nan"),
        pytest.param([[0.0, 1.0], [1.0, np.inf]], "[1][1] = inf is not a logit", id="inf"),
        pytest.param([[0.0, 1.0], [-np.inf, -np.inf]], "[1][0] = -inf like its whole row", id="row-of-inf"),
        pytest.param([[0.0, np.nan, 0.0]] * 2, "[0][1] = nan is not a logit", id="other-vocabulary"),
        pytest.param([[0.0, 1.0]] * 3, "give both the same number of rows", id="rows"),
        pytest.param(np.zeros((2, 0)), "has shape (2, 0)", id="no-token"),
        pytest.param(saved_bytes(np.save, np.zeros((2, 2)))[:-1], "is not a whole .npy array", id="truncated"),
        pytest.param(np.zeros((2, 2), "V2"), "dtype |V2", id="bfloat16"),
        pytest.param(np.zeros((2, 2), "M8[s]"), "is not an array of real numbers", id="dates"),
    ],
)
@pytest.mark.parametrize("side", ["draft", "target"])
def test_bad_logits(command: Any, saved: Any, side: str, content: Any, message: str) -> None:
    paths = {"--draft": saved("good", np.zeros((2, 2))), "--target": saved("fine", np.zeros((2, 2)))}
    paths[f"--{side}"] = saved("bad", content)
    line = command("bound", "--logits", *(word for item in paths.items() for word in item)).complaint
    assert message in line
    assert side in line
