"""Models and tokenizers that cannot be opened, and what the user is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import huggingface_hub.constants
import pytest
import torch
from safetensors.torch import load_file, save_file

from specproof.simulations.language_models.checkpoints import open_model, open_tokenizer
from specproof.theory.errors import InvalidInput


def refused(location: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message) as caught:
        open_model(location, "cpu")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


def test_a_folder_opens_in_float32_even_from_half_precision(make_checkpoint: Any) -> None:
    folder = make_checkpoint("half")
    weights = load_file(folder / "model.safetensors")
    save_file({name: w.half() for name, w in weights.items()}, folder / "model.safetensors", metadata={"format": "pt"})
    module = open_model(str(folder), "cpu")
    assert {parameter.dtype for parameter in module.parameters()} == {torch.float32}
    assert not module.training


def test_a_folder_under_the_home_directory(make_checkpoint: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(make_checkpoint("model").parent))
    assert len(open_tokenizer("~/model")) == 8


def test_an_empty_folder(tmp_path: Path) -> None:
    refused(str(tmp_path), "holds no config.json")


def test_missing_weights_files(make_checkpoint: Any) -> None:
    folder = make_checkpoint("model")
    (folder / "model.safetensors").unlink()
    refused(str(folder), "cannot load the model of .*check the files in that folder")


def test_damaged_weights_files(make_checkpoint: Any) -> None:
    folder = make_checkpoint("model")
    whole = (folder / "model.safetensors").read_bytes()
    for damaged in (b"abc" * 100, whole[:-10], b""):
        (folder / "model.safetensors").write_bytes(damaged)
        refused(str(folder), "cannot load the model of .*check the files in that folder")


def test_a_missing_weight_is_not_made_up(make_checkpoint: Any, silent: Any) -> None:
    folder = make_checkpoint("model")
    weights = load_file(folder / "model.safetensors")
    del weights["model.layers.1.mlp.up_proj.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    refused(str(folder), "lacks 1 weights, such as model.layers.1.mlp.up_proj.weight")
    silent()


def test_a_config_that_is_not_one(make_checkpoint: Any) -> None:
    folder = make_checkpoint("model")
    for content in ("", "{", "{}", '{"model_type": "nonsense"}', "[]"):
        (folder / "config.json").write_text(content)
        refused(str(folder), "cannot load the model of")


def test_a_folder_without_a_tokenizer(make_checkpoint: Any) -> None:
    folder = make_checkpoint("model")
    (folder / "tokenizer.json").write_text("nonsense")
    with pytest.raises(InvalidInput, match="cannot load the tokenizer of"):
        open_tokenizer(str(folder))


@pytest.mark.parametrize("location", ["a b/c", "no/such/folder", "some-owner/some-model"])
def test_names_of_nothing_here_while_the_hub_cannot_be_reached(
    monkeypatch: pytest.MonkeyPatch, location: str, silent: Any
) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    refused(location, "cannot load the model of .*check the name .* and the network")
    silent()
