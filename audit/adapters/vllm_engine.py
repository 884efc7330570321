"""vLLM's CPU build as a whole engine, on lookup tables: it runs in an environment of its own, in a process that stays.

vLLM drafts the likeliest tokens by default (``greedy``), or draws from the draft model's law (``probabilistic``).
"""

from __future__ import annotations

import json
import os
import subprocess
import weakref
from dataclasses import dataclass
from functools import cache
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from audit import engines
from audit.adapters import vllm
from audit.environment import python_with
from audit.prefixes import logits_after
from specproof.conformance import Unsupported
from specproof.conformance.problems import Tokens
from specproof.theory.chain import TabularModel
from specproof.theory.distribution import Array

ENVIRONMENT = vllm.WHEEL
"""It has an environment of its own."""
WHEELS = vllm.WHEELS
DRAFTS = 3
MOST_TOKENS = 15
"""One id of the engine's sixteen stands before the prompt."""
NOT_NEEDED = ("torchvision", "torchaudio", "torchcodec")
"""Requirements for pictures and sound, whose builds need not fit that of torch."""


class Engine:
    """A process with an engine, of which the options are those of ``main`` in ``audit/engines/vllm_texts.py``."""

    def __init__(self, **options: int | str) -> None:
        python = python_with(ENVIRONMENT, NOT_NEEDED)
        self._log = python.parents[1] / "engine.log"
        self._pipe, theirs = Pipe()
        worker = Path(engines.__path__[0], "vllm_texts.py")
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                [str(python), str(worker), str(theirs.fileno()), json.dumps(options)],
                pass_fds=[theirs.fileno()],
                env={**os.environ, "OMP_NUM_THREADS": "1"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        theirs.close()
        weakref.finalize(self, _end, self._pipe, self._process)

    def texts(self, tables: list[Array], prompt: list[int], length: int, seeds: list[int]) -> Tokens:
        """Texts of models with these logits, the target's first.

        Raises
        ------
        RuntimeError
            If the process ends.
        """
        try:
            self._pipe.send((tables, prompt, length, seeds))
            texts: Tokens = self._pipe.recv()
        except (EOFError, OSError):
            raise RuntimeError(f"vLLM's process ended with {self._process.wait()}: see {self._log}") from None
        return texts


def _end(pipe: Connection, process: subprocess.Popen[bytes]) -> None:
    """The process ends when its pipe does."""
    pipe.close()
    process.wait()


@dataclass(frozen=True, repr=False)
class Generating:
    """Contract generate, for tables in which only the last token matters."""

    drafting: str = "probabilistic"
    drafts: int = DRAFTS
    repaired: bool = False

    def __repr__(self) -> str:
        """Name it in reports."""
        return f"{vllm.WHEEL.distribution} {vllm.WHEEL.version}, {self.drafts} {self.drafting} drafts"

    def __call__(
        self,
        draft_model: TabularModel,
        target_model: TabularModel,
        prompt: tuple[int, ...],
        length: int,
        n: int,
        rng: np.random.Generator,
    ) -> Tokens:
        """All texts in one call of the engine, each a request at temperature 1 with a seed of its own."""
        size = target_model.num_states
        if size > MOST_TOKENS:
            raise Unsupported(f"{size} tokens: give at most {MOST_TOKENS}")
        models = (target_model, draft_model) if self.drafts else (target_model,)
        tables = [logits_after(model) for model in models]
        seeds = [int(seed) for seed in rng.integers(2**62, size=n)]
        return _engine(drafts=self.drafts, drafting=self.drafting, repaired=self.repaired).texts(
            tables, [size, *prompt], length, seeds
        )


generate = Generating()
generate_greedily = Generating("greedy")
generate_alone = Generating(drafts=0)
repaired = Generating(repaired=True)
repaired_greedily = Generating("greedy", repaired=True)


@cache
def _engine(**options: int | str) -> Engine:
    return Engine(**options)
