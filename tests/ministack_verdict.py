"""MiniStack's own verdict on a request, from its code alone: it shares nothing with ours but the token."""

from __future__ import annotations

import asyncio
import math
from urllib.parse import parse_qs

from ministack.services import apigateway

from labkit.questions.endpoint import Headers, ProtectedEndpoint


def ministack_status(endpoint: ProtectedEndpoint, headers: Headers, query: str = "") -> int:
    """The status that MiniStack's authorizer answers with; 500 where it raises."""
    return asyncio.run(_status(endpoint, headers, query))


async def _status(endpoint: ProtectedEndpoint, headers: Headers, query: str) -> int:
    wanted = endpoint.authorizer
    authorizer = {
        "identitySource": [wanted.identity_source],
        "jwtConfiguration": {"issuer": wanted.issuer, "audience": list(wanted.audience)},
    }
    route = {"authorizationScopes": list(endpoint.scopes)}
    await _publish(authorizer, endpoint)
    try:
        _, _, refusal = await apigateway._validate_jwt_authorizer(route, authorizer, _folded(headers), parse_qs(query))
    except Exception:
        return 500
    return refusal[0] if refusal else 200


async def _publish(authorizer: dict[str, object], endpoint: ProtectedEndpoint) -> None:
    """Let MiniStack find the keys in its cache, so that it asks nobody."""
    document = {"jwks_uri": f"{endpoint.authorizer.issuer}/keys", "expiresAt": math.inf}
    apigateway._oidc_config_cache[endpoint.authorizer.issuer.rstrip("/")] = document
    url = await apigateway._resolve_jwks_url(authorizer)
    apigateway._jwks_cache[url] = {"jwks": _key_set(endpoint), "expiresAt": math.inf}


def _key_set(endpoint: ProtectedEndpoint) -> dict[str, object]:
    return {"keys": [dict(key) for key in endpoint.published.keys]}


def _folded(headers: Headers) -> dict[str, str]:
    """Headers as MiniStack's server hands them on: a name that comes twice has its values in one."""
    folded: dict[str, str] = {}
    for name, value in headers:
        before = folded.get(name.lower())
        folded[name.lower()] = value if before is None else f"{before}, {value}"
    return folded
