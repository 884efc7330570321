"""mlx-lm: ``speculative_generate_step`` with two models, on the CPU build of MLX."""

from __future__ import annotations

import ctypes
import importlib
import itertools
from functools import cache
from typing import Any

import numpy as np

from audit.package import load, unpack_for_import, unpacked
from audit.stand_ins import StandIn, in_place
from specproof.conformance.problems import Tokens, next_token_law
from specproof.simulations.language_models.wheel import Wheel
from specproof.theory.chain import TabularModel

WHEEL = Wheel(
    distribution="mlx-lm",
    version="0.32.2",
    filename="mlx_lm-0.32.2-py3-none-any.whl",
    size=546_040,
    sha256="5c0991248cfff5872503d74f466d2532dd8cb7fb3670cb9be7a06d7305dadc04",
    member="mlx_lm/generate.py",
)
MLX = Wheel(
    "mlx",
    "0.32.4",
    "mlx-0.32.4-cp311-cp311-manylinux_2_35_x86_64.whl",
    781_644,
    "6267be0db81a9d850b3ecd9bf0cf7dd0f439408db9fbc59237e37fda3f7676b0",
    "",
)
LIBRARY = Wheel(
    "mlx-cpu",
    "0.32.4",
    "mlx_cpu-0.32.4-py3-none-manylinux_2_35_x86_64.whl",
    10_486_971,
    "0e0a24fa2ce8b6b94d2e6a90604e8813aa8e29fcb918bb2aa01cfb6d133d8cee",
    "",
)
WHEELS = (WHEEL, MLX, LIBRARY)
STAND_INS = ("mlx_lm.processors", "mlx_lm.tokenizer_utils", "mlx_lm.utils")
BEFORE = 0
"""The token before every prompt, as prompts must not be empty; it carries nothing."""
DRAFTS = 3


class Remembered:
    """A cache of mlx-lm's kind: the tokens that a model has seen."""

    def __init__(self) -> None:
        self.tokens: list[int] = []

    def is_trimmable(self) -> bool:
        """Always."""
        return True

    def trim(self, count: int) -> int:
        """Forget the last ``count`` tokens."""
        del self.tokens[len(self.tokens) - count :]
        return count

    @property
    def state(self) -> list[Any]:
        """Nothing that MLX would have to compute."""
        return []


class Table:
    """A tabular model as mlx-lm calls its own: the logits after each of these tokens, the last ones in the cache."""

    def __init__(self, model: TabularModel) -> None:
        self.model = model

    def make_cache(self) -> list[Remembered]:
        """One, for a single layer."""
        return [Remembered()]

    def __call__(self, ids: Any, cache: list[Remembered]) -> Any:
        """Logits (1, m, V) after token ids (1, m)."""
        seen = cache[0].tokens
        before = len(seen)
        seen.extend(ids[0].tolist())
        ends = range(before, len(seen))
        laws = [next_token_law(self.model, [seen[1 : end + 1]])[0] for end in ends]
        with np.errstate(divide="ignore"):
            return _mlx().array(np.log(laws)[None].astype(np.float32))


def generate(
    draft_model: TabularModel,
    target_model: TabularModel,
    prompt: tuple[int, ...],
    length: int,
    n: int,
    rng: np.random.Generator,
) -> Tokens:
    """Contract generate; the tokens are drawn by the sampler that ``make_sampler`` gives at temperature 1."""
    mx, module = _mlx(), _module()
    draft, target, sampler = Table(draft_model), Table(target_model), module.make_sampler(temp=1.0)
    mx.random.seed(int(rng.integers(2**63)))
    texts = np.empty((n, length), dtype=np.int64)
    for text in texts:
        steps = module.speculative_generate_step(
            mx.array([BEFORE, *prompt]), target, draft, num_draft_tokens=DRAFTS, max_tokens=length, sampler=sampler
        )
        text[:] = [int(token) for token, *_ in itertools.islice(steps, length)]
    return texts


@cache
def _mlx() -> Any:
    ctypes.CDLL(str(unpacked(LIBRARY) / "mlx/lib/libmlx.so"))
    unpack_for_import(MLX)
    return importlib.import_module("mlx.core")


@cache
def _module() -> Any:
    _mlx()
    with in_place({name: StandIn(name) for name in STAND_INS}):
        return load(WHEEL)
