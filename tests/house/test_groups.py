"""Tests that share something dear run in one worker."""

from __future__ import annotations

import os

import pytest


@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="all tests run in one process here")
@pytest.mark.xdist_group("a shared thing")
def test_a_group_reaches_the_scheduler(request: pytest.FixtureRequest) -> None:
    """It reads a test's group in its id, where some versions of pytest do not let pytest-xdist write it."""
    assert request.node.nodeid.endswith("@a shared thing")
