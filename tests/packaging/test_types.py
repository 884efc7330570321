"""A stranger's mypy sees our types."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.xdist_group("packaging"), pytest.mark.slow]  # mypy reads NumPy's stubs anew

SCRIPT = """\
import numpy as np
import specproof
from specproof.theory.transport import optimal_acceptance

draft = specproof.uniform(4)
reveal_type(draft)
share: str = optimal_acceptance(draft, draft, 2)
specproof.uniform("four")
specproof.unheard_of
print(np.sum(draft))
"""


@pytest.mark.parametrize("how", ["installation", "editable"])
def test_a_mistake_in_a_strangers_script_is_found(request: pytest.FixtureRequest, tmp_path: Path, how: str) -> None:
    installed: Any = request.getfixturevalue(how)
    (tmp_path / "script.py").write_text(SCRIPT)
    words = [sys.executable, "-m", "mypy", "--strict", "--python-executable", installed.python, "script.py"]
    checked = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    said = checked.stdout.splitlines()
    assert [line.split(":")[1] for line in said[:-1]] == ["6", "7", "8", "9"], checked.stdout + checked.stderr
    assert "numpy.ndarray" in said[0].replace("ndarray", "numpy.ndarray")
    assert all(
        code in line for code, line in zip(("[assignment]", "[arg-type]", "[attr-defined]"), said[1:4], strict=True)
    )
