"""Processes by their numbers."""

from __future__ import annotations

from pathlib import Path


def is_running(number: str) -> bool:
    """Whether a process of this number has not ended, be it that nobody has waited for it yet."""
    try:
        state = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
