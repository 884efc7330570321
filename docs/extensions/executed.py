"""The directive ``{run}``: commands that are run when the site is built, and what they print.

Commands of one page run in one new folder, which holds the files beside the page. ``:status:`` is the exit status that
must come, 0 by default; ``:last:`` and ``:first:`` show so many lines of what is printed.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util.docutils import SphinxDirective

LONGEST = 600
"""Seconds that a command may take."""


class Run(SphinxDirective):
    """Run commands and show them with what they print."""

    has_content = True
    option_spec: ClassVar = {
        "status": directives.nonnegative_int,
        "first": directives.positive_int,
        "last": directives.positive_int,
    }

    def run(self):
        """Run the lines of the block in turn; the last one's status counts."""
        command = "\n".join(self.content)
        done = subprocess.run(
            ["bash", "-c", f"set -e\n{command}"],
            cwd=self._folder(),
            env=self._environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=LONGEST,
        )
        wanted = self.options.get("status", 0)
        if done.returncode != wanted:
            raise self.error(f"ended with {done.returncode}, not {wanted}: {command}\n{done.stdout}")
        shown = self._shown([line.rstrip() for line in done.stdout.strip("\n").splitlines()])
        asked = nodes.literal_block(command, command, language="sh")
        said = nodes.literal_block(shown, shown, language="text")
        return [asked, *([said] if shown else [])]

    def _shown(self, lines):
        lines = [line for line in lines if not line.startswith("[")]  # progress is for the impatient
        if "first" in self.options:
            lines = [*lines[: self.options["first"]], *(["..."] if len(lines) > self.options["first"] else [])]
        if "last" in self.options:
            lines = lines[-self.options["last"] :]
        return "\n".join(lines)

    def _folder(self):
        """Make the page's folder, once a build, with the files that lie beside the page."""
        made = self.env.temp_data.get("executed_in")
        if made is None:
            made = Path(self.env.app.doctreedir).parent / "executed" / self.env.docname
            shutil.rmtree(made, ignore_errors=True)
            made.mkdir(parents=True)
            for path in Path(self.env.doc2path(self.env.docname)).with_suffix("").glob("*"):
                shutil.copy(path, made)
            self.env.temp_data["executed_in"] = made
        return made

    def _environment(self):
        ours = Path(sys.executable).parent
        path = f"{ours}{os.pathsep}{os.environ['PATH']}"
        return {**os.environ, "PATH": path, "COLUMNS": "130", "NO_COLOR": "1", "TERM": "dumb", "PYTHONWARNINGS": ""}


def setup(app):
    """Register the directive."""
    app.add_directive("run", Run)
    return {"parallel_read_safe": False}
