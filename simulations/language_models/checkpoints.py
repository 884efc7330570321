"""Opening a model and a tokenizer from a local folder or the Hugging Face hub, with errors a user can act on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer

from specproof.simulations.language_models.model import check_decodable
from specproof.simulations.language_models.quiet import quiet_transformers
from specproof.theory.errors import InvalidInput

UNREADABLE = (OSError, ValueError, KeyError, TypeError, AttributeError, ImportError, RuntimeError, SafetensorError)
"""Whatever a stranger's files make the readers raise."""


def open_model(location: str, device: str) -> Any:
    """The causal language model at a folder or hub id, in float32 and evaluation mode, on ``device``.

    Raises
    ------
    InvalidInput
        If there is no such model, it is incomplete or damaged, or it cannot be decoded with a cache that forgets.
    """
    module = _read(location, AutoModelForCausalLM)
    check_decodable(module, location)
    return _place(module, location, device)


def open_reward_model(location: str, device: str) -> Any:
    """The reward model (a sequence classifier of one label) at a folder or hub id, as :func:`open_model`.

    Raises
    ------
    InvalidInput
        If there is no such model, it is incomplete or damaged, or it has more labels than one.
    """
    module = _read(location, AutoModelForSequenceClassification)
    if module.config.num_labels != 1:
        raise InvalidInput(
            f"model {location} has {module.config.num_labels} labels: choose a reward model, which has one"
        )
    return _place(module, location, device)


def open_tokenizer(location: str) -> Any:
    """The tokenizer at a folder or hub id.

    Raises
    ------
    InvalidInput
        If there is none, or it cannot be read.
    """
    with _reading(location, "tokenizer") as path:
        return AutoTokenizer.from_pretrained(path, trust_remote_code=False)


def _read(location: str, kind: Any) -> Any:
    with _reading(location, "model") as path:
        module, loading = kind.from_pretrained(
            path, dtype=torch.float32, trust_remote_code=False, output_loading_info=True
        )
    # transformers fills what is missing with random weights and goes on.
    absent = sorted(loading["missing_keys"])
    if absent:
        raise InvalidInput(
            f"model {location} lacks {len(absent)} weights, such as {absent[0]}: fetch it again, or see that it is of "
            f"the kind {kind.__name__.removeprefix('AutoModelFor')}"
        )
    return module


def _place(module: Any, location: str, device: str) -> Any:
    try:
        return module.to(device).eval()
    except torch.cuda.OutOfMemoryError:
        raise InvalidInput(f"model {location} does not fit into the memory of {device}: use --device cpu") from None


@contextmanager
def _reading(location: str, part: str) -> Iterator[str]:
    folder = Path(location).expanduser()
    if folder.is_dir() and not (folder / "config.json").is_file():
        raise InvalidInput(f"{location} holds no config.json: give a folder written by save_pretrained, or a hub id")
    try:
        with quiet_transformers():
            yield str(folder) if folder.is_dir() else location
    except UNREADABLE as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200].rstrip(".")
        where = "check the files in that folder" if folder.is_dir() else "check the name (or folder) and the network"
        raise InvalidInput(f"cannot load the {part} of {location} ({reason}): {where}") from None
