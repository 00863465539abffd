"""cfn-lint, which has CloudFormation's schemas, finds nothing in the template of a class's account."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def test_the_account_template_is_clean(judge: Callable[[str], str]) -> None:
    command = [judge("cfn-lint"), "--include-checks", "I", "--", str(ROOT / "docs" / "class-account.yaml")]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (0, "")
