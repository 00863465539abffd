"""cfn-lint, which has CloudFormation's schemas, finds nothing in the templates of an account and of a lab."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

from labkit.settings import Settings
from labkit.steps.template import as_yaml, template

ROOT = Path(__file__).parent.parent.parent


def test_the_account_template_is_clean(judge: Callable[[str], str]) -> None:
    assert_clean(judge, ROOT / "docs" / "class-account.yaml")


def test_the_labs_template_is_clean(judge: Callable[[str], str], tmp_path: Path) -> None:
    file = tmp_path / "lab.yaml"
    file.write_text(as_yaml(template(Settings("aws", "jwt-lab", tmp_path, "python3.13"))), encoding="utf-8")
    assert_clean(judge, file)


def assert_clean(judge: Callable[[str], str], file: Path) -> None:
    command = [judge("cfn-lint"), "--include-checks", "I", "--", str(file)]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (0, "")
