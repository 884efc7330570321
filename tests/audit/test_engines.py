"""Whole engines on lookup tables, where their wheels are in the cache: slow, as each brings its own runtime."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("transformers")

from audit.adapters import vllm, vllm_engine
from audit.environment import is_made
from audit.package import is_fetched
from specproof.conformance import Budget, Verdict, check_sampler
from specproof.conformance.subject.loading import load_function

SOUND = (Verdict.LOSSLESS, Verdict.INCONCLUSIVE)
"""Nothing was found wrong."""
BUDGET = Budget(first=170, rounds=1, small=8, degenerate=20, seconds=300.0, candidates=8)
"""Counted, for the verdict not to depend on the machine; enough to see what is grossly wrong."""

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("function", "verdicts"),
    [
        ("llama_cpp:generate", SOUND),
        ("llama_cpp:generate_alone", SOUND),
        ("llama_cpp:generate_greedily", SOUND),
        ("mlx_lm:generate", SOUND),
        ("onnxruntime_genai:generate", SOUND),
        ("onnxruntime_genai:generate_from_ngrams", SOUND),
        ("openvino_genai:generate_alone", SOUND),
        ("openvino_genai:generate", (Verdict.BIASED,)),
    ],
)
def test_verdict_is_the_documented_one(function: str, verdicts: tuple[Verdict, ...]) -> None:
    """That OpenVINO's engine is sound without a draft model shows that its bias is not the adapter's."""
    loaded = load_function(f"audit.adapters.{function}")
    module = __import__(f"audit.adapters.{function.partition(':')[0]}", fromlist=["WHEELS"])
    if not is_fetched(*module.WHEELS):
        pytest.skip("its wheels are not in the cache: python -m audit.audit fetches them")
    report = check_sampler(loaded, "generate", budget=BUDGET)
    assert report.verdict in verdicts, str(report)


@pytest.mark.skipif(not is_made(vllm.WHEEL), reason="its environment is not made: python -m audit.audit vllm-engine")
@pytest.mark.parametrize(
    ("engine", "verdicts"),
    [
        (vllm_engine.generate, (Verdict.BIASED,)),
        (vllm_engine.generate_greedily, (Verdict.BIASED,)),
        (vllm_engine.generate_alone, SOUND),
        (vllm_engine.repaired, SOUND),
        (vllm_engine.repaired_greedily, SOUND),
    ],
)
def test_a_whole_engine_is_as_documented(engine: vllm_engine.Generating, verdicts: tuple[Verdict, ...]) -> None:
    """Alone and repaired it is sound, so that the bias is not the adapter's."""
    report = check_sampler(engine, "generate", budget=BUDGET)
    assert report.verdict in verdicts, str(report)


def test_a_cache_of_tokens_forgets_the_last() -> None:
    from audit.adapters.mlx_lm import Remembered

    cache = Remembered()
    cache.tokens.extend([3, 1, 4])
    assert cache.trim(0) == 0
    assert cache.tokens == [3, 1, 4]
    assert cache.trim(2) == 2
    assert cache.tokens == [3]
    assert np.size(cache.state) == 0
