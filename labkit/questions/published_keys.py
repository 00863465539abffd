"""The keys that an issuer publishes, fetched from where its place serves them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

import requests

from labkit.aws import partition
from labkit.errors import LabError
from labkit.machine.loopback import leads_here
from labkit.target.target import Place
from labkit.tokens.jws import Jwk, signing_keys

# https://docs.aws.amazon.com/cognito/latest/developerguide/federation-endpoints.html
_COGNITO_ISSUER = re.compile(r"https://(?:issuer-)?cognito-idp\.([a-z0-9-]+)\.([a-z0-9.-]+)/[\w-]+_[A-Za-z0-9]+")


@dataclass(frozen=True)
class PublishedKeys:
    """An issuer's keys, and a sentence on where they came from, or on why there are none."""

    keys: tuple[Jwk, ...]
    sentence: str
    reached: bool = True

    @property
    def pem(self) -> dict[str, bytes]:
        """Each key that signs, by its id, in the text form in which keys are passed around (RFC 7468, section 13)."""
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat  # noqa: PLC0415 - takes a while
        from jwt import PyJWK  # noqa: PLC0415

        keys = {key["kid"]: PyJWK(dict(key), "RS256").key for key in signing_keys(self.keys)}
        return {kid: key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo) for kid, key in keys.items()}


def published_keys(place: Place, issuer: str) -> PublishedKeys:
    """Fetch the keys of an issuer that the lab's own settings name. Nothing is raised."""
    url = place.keys_url(issuer)
    try:
        keys = signing_keys(fetch_keys(issuer, url))
    except LabError as error:
        return PublishedKeys((), error.problem, reached=False)
    return PublishedKeys(keys, _where(issuer, url))


def keys_for(place: Place, issuer: object) -> PublishedKeys:
    """Fetch the keys of the issuer that a token names: only of a user pool, since anybody may have made the token."""
    if isinstance(issuer, str) and _is_user_pool(issuer):
        return published_keys(place, issuer)
    return PublishedKeys((), "Its issuer is no user pool, and no key is fetched from an unknown place.", reached=False)


def _is_user_pool(issuer: str) -> bool:
    found = _COGNITO_ISSUER.fullmatch(issuer)
    return found is not None and found[2] == partition(found[1]).dns_suffix


def _where(issuer: str, url: str) -> str:
    if leads_here(url) and not leads_here(issuer):
        return f"The issuer bears AWS's host name; the embedded cloud serves its keys, at {url}."
    return f"The issuer publishes its keys at {url}."


# What API Gateway allows a key set, and a patience that a learner still has.
# https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
LARGEST_KEY_SET = 150_000


PATIENCE_SECONDS = 5.0


def fetch_keys(issuer: str, jwks_url: str) -> dict[str, Any]:
    """Fetch an issuer's published keys: the only function here that touches the network.

    Args:
        issuer: the issuer, as tokens name it.
        jwks_url: where its keys are served, which for an emulated user pool is not under the issuer's own name.

    Returns:
        The key set (RFC 7517, section 5): a dictionary with a list `keys`.

    Raises:
        LabError: nobody answers there, or the answer is no key set.
    """
    try:
        key_set = json.loads(_get(jwks_url))
    except requests.RequestException as error:
        raise LabError(
            f"The keys of {issuer} cannot be fetched from {jwks_url}: {_reason(error)}.",
            "See whether the cloud is running and the address is right, then try again.",
        ) from error
    except (ValueError, RecursionError):
        key_set = None
    if not isinstance(key_set, dict) or not isinstance(key_set.get("keys"), list):
        raise LabError(f"What {jwks_url} serves is no key set.", f"See whether {issuer} is the issuer that you mean.")
    return key_set


def _get(url: str) -> bytes:
    body = b""
    with requests.Session() as session:
        session.trust_env = not leads_here(url)  # a proxy of the environment does not lead to this machine
        with session.get(url, timeout=PATIENCE_SECONDS, stream=True, allow_redirects=False) as response:
            response.raise_for_status()
            for piece in response.iter_content(8192):
                body += piece
                if len(body) > LARGEST_KEY_SET:
                    raise requests.RequestException(f"the answer is larger than {LARGEST_KEY_SET:,} bytes")
    return body


def _reason(error: requests.RequestException) -> str:
    if error.response is not None:
        return f"the answer was {error.response.status_code}"
    if isinstance(error, requests.Timeout):
        return f"there was no answer in {PATIENCE_SECONDS:g} seconds"
    if isinstance(error, requests.ConnectionError):
        return "nobody answers there"
    return "that is no web address" if isinstance(error, ValueError) else str(error)
