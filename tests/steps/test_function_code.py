"""The functions' code as it is sent to Lambda."""

from __future__ import annotations

import io
import stat
import zipfile
from pathlib import Path

import pytest

from labkit.errors import LabError
from labkit.steps import function_code as packages
from labkit.target.names import FUNCTIONS

LAMBDAS = Path(__file__).parent.parent.parent / "lambdas"


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize(
    ("runtime", "file_name", "handler"),
    [
        ("python3.13", "lambda_function.py", "lambda_function.lambda_handler"),
        ("nodejs22.x", "index.mjs", "index.handler"),
    ],
)
def test_a_package_holds_the_one_file_that_its_handler_names(
    function: str, runtime: str, file_name: str, handler: str
) -> None:
    packed = packages.package(function, runtime)

    with zipfile.ZipFile(io.BytesIO(packed.content)) as archive:
        [entry] = archive.infolist()
        assert entry.filename == file_name
        assert archive.read(entry) == (LAMBDAS / function / file_name).read_bytes()
    # Lambda runs it as a user of its own, who has to be able to read it.
    assert stat.filemode(entry.external_attr >> 16).endswith("rw-r--r--")
    assert (packed.runtime, packed.handler) == (runtime, handler)


def test_the_same_source_gives_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "LAMBDAS", tmp_path)
    source = tmp_path / "Hello" / "lambda_function.py"
    source.parent.mkdir()
    source.write_text("print('hello')\n")
    first = packages.package("Hello", "python3.13")
    source.touch()

    assert packages.package("Hello", "python3.13") == first

    source.write_text("print('bye')\n")
    assert packages.package("Hello", "python3.13").code_sha256 != first.code_sha256


def test_the_digest_is_written_as_lambda_writes_it() -> None:
    # SHA-256 of no bytes, in base64.
    assert packages.Package("python3.13", "a.b", b"").code_sha256 == "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="


def test_a_missing_source_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "LAMBDAS", tmp_path)

    with pytest.raises(LabError) as error:
        packages.package("LambdaForAdminUser", "python3.13")

    assert error.value.problem == (
        "The source of LambdaForAdminUser is missing: lambdas/LambdaForAdminUser/lambda_function.py."
    )
    assert error.value.remedy == "Restore it (git checkout lambdas), then repeat the command."
