"""Errors speak in two sentences, in a notebook, too."""

import os
import subprocess
import sys
from pathlib import Path

from labkit.errors import LabError

RAISE = 'from labkit.errors import LabError; raise LabError("There is no lab yet.", "Build it: labkit up")'


def test_a_notebook_shows_the_sentences_and_no_traceback(tmp_path: Path) -> None:
    environment = os.environ | {"IPYTHONDIR": str(tmp_path)}
    command = [sys.executable, "-m", "IPython", "--colors=NoColor", "--quick", "-c", RAISE]
    shown = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (shown.stdout + shown.stderr).strip() == "There is no lab yet. Build it: labkit up"


def test_a_long_sentence_is_broken_between_words() -> None:
    lines = LabError("One " * 30 + "end.", "Do this.")._render_traceback_()
    assert " ".join(lines) == ("One " * 30 + "end. Do this.")
    assert max(len(line) for line in lines) == 87
