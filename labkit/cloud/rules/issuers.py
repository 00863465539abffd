"""The issuers that a JWT authorizer of this cloud may trust: its own user pools, and issuers on this machine."""

from __future__ import annotations

import asyncio
import http
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from labkit.cloud import http as loopback
from labkit.cloud.rules import state

LOOPBACK = ("localhost", "127.0.0.1", "::1")
POOL = re.compile(r"https://cognito-idp\.([a-z0-9-]+)\.amazonaws\.com/(\1_\w+)")

# https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
FETCH_SECONDS = 1.5
LARGEST_KEY_SET = 150_000
# https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
KEPT_SECONDS = 7_200

Keys = list[dict[str, Any]]

_kept: dict[str, tuple[float, Keys]] = {}


async def keys(issuer: str, now: float) -> Keys:
    """The keys that an issuer publishes. Empty if it cannot be asked; kept for two hours otherwise.

    Args:
        issuer: the issuer of an authorizer.
        now: seconds since 1970.
    """
    if found := POOL.fullmatch(issuer):
        return state.pool_keys(found[2]) if state.user_pool(found[2]) else []
    until, kept = _kept.get(issuer, (0.0, []))
    if now < until:
        return kept
    fetched = await asyncio.to_thread(_fetch_keys, issuer)
    if fetched:
        _kept[issuer] = now + KEPT_SECONDS, fetched
    return fetched


async def has_discovery_document(issuer: str) -> bool:
    """Whether an issuer's discovery document can be had."""
    if found := POOL.fullmatch(issuer):
        return state.user_pool(found[2]) is not None
    return await asyncio.to_thread(_key_set_url, issuer) is not None


def _fetch_keys(issuer: str) -> Keys:
    url = _key_set_url(issuer)
    key_set = _fetch(url) if url else None
    listed = key_set.get("keys") if key_set else None
    return [key for key in listed if isinstance(key, dict)] if isinstance(listed, list) else []


def _key_set_url(issuer: str) -> str | None:
    document = _fetch(f"{issuer}/.well-known/openid-configuration")
    url = document.get("jwks_uri") if document else None
    return url if isinstance(url, str) else None


def _fetch(url: str) -> Mapping[str, Any] | None:
    """A JSON object from this machine, and from nowhere else."""
    try:
        parts = urlsplit(url)
        if parts.scheme != "http" or parts.hostname not in LOOPBACK:
            return None
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        status, body = loopback.get(parts.port or 80, path, timeout=FETCH_SECONDS)
        content = json.loads(body) if status == http.HTTPStatus.OK and len(body) <= LARGEST_KEY_SET else None
    except (OSError, ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None
