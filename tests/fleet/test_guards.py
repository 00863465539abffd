"""Which aliases look like production, and which accounts are protected."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from labkit.errors import UsageError
from labkit.fleet.guards import PRODUCTION, protected_accounts


@pytest.mark.parametrize(
    "alias", ["prod", "acme-production", "webproduct", "live", "live-shop", "shop-live", "shop-prd-2", "prd2"]
)
def test_what_looks_like_production(alias: str) -> None:
    assert re.search(PRODUCTION, alias)


@pytest.mark.parametrize("alias", ["", "class-2", "alive-and-well", "deliver", "training", "sandbox-11"])
def test_what_does_not(alias: str) -> None:
    assert not re.search(PRODUCTION, alias)


def test_one_account_is_protected_as_several_are(tmp_path: Path) -> None:
    assert protected_accounts(tmp_path, "111100000004") == protected_accounts(tmp_path, ["111100000004"])


@pytest.mark.parametrize("odd", [[111100000004], ["1111"], [None], "1111"], ids=repr)
def test_a_list_that_is_wrong_is_refused_in_a_sentence(odd: Any, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not an account id"):
        protected_accounts(tmp_path, odd)
