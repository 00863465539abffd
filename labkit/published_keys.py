"""The keys that an issuer publishes, fetched from where its place serves them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from labkit.errors import LabError
from labkit.jws import Jwk, signing_keys
from labkit.loopback import is_loopback
from labkit.target import Place
from labkit.tokens import fetch_keys

# https://docs.aws.amazon.com/cognito/latest/developerguide/federation-endpoints.html
COGNITO_ISSUER = re.compile(r"https://(?:issuer-)?cognito-idp\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?/[\w-]+_[A-Za-z0-9]+")


@dataclass(frozen=True)
class PublishedKeys:
    """An issuer's keys, and a sentence on where they came from, or on why there are none."""

    keys: tuple[Jwk, ...]
    sentence: str
    reached: bool = True


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
    if isinstance(issuer, str) and COGNITO_ISSUER.fullmatch(issuer):
        return published_keys(place, issuer)
    return PublishedKeys((), "Its issuer is no user pool, and no key is fetched from an unknown place.", reached=False)


def _where(issuer: str, url: str) -> str:
    if is_loopback(urlsplit(url).hostname) and not is_loopback(urlsplit(issuer).hostname):
        return f"The issuer bears AWS's host name; the embedded cloud serves its keys, at {url}."
    return f"The issuer publishes its keys at {url}."
