"""Which aliases look like production."""

from __future__ import annotations

import re

import pytest

from labkit.fleet.guards import PRODUCTION


@pytest.mark.parametrize(
    "alias", ["prod", "acme-production", "webproduct", "live", "live-shop", "shop-live", "shop-prd-2", "prd2"]
)
def test_what_looks_like_production(alias: str) -> None:
    assert re.search(PRODUCTION, alias)


@pytest.mark.parametrize("alias", ["", "class-2", "alive-and-well", "deliver", "training", "sandbox-11"])
def test_what_does_not(alias: str) -> None:
    assert not re.search(PRODUCTION, alias)
