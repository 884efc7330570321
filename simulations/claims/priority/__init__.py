"""Claims about the priority coupling: docs/priority-coupling.md."""

SOURCE = "docs/priority-coupling.md"
