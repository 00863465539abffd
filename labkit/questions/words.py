"""The stable words for what a question has read anyway: ids, keys, times and sizes that differ from run to run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labkit.text.terms import about
from labkit.text.wording import distance, moment
from labkit.tokens import jws

if TYPE_CHECKING:
    from labkit.target.target import Place
    from labkit.tokens.decision import ApiRequest, AuthorizerSettings, Decision
    from labkit.tokens.token import Token

_COGNITO = "https://cognito-idp."
TIMES = ("exp", "nbf", "iat")


def place_words(place: Place) -> dict[str, str]:
    """The word for where a lab is served, if that is on this machine."""
    return {place.credentials.get("AWS_ENDPOINT_URL", ""): "$AWS_ENDPOINT_URL"}


def settings_words(authorizer: AuthorizerSettings) -> dict[str, str]:
    """The words for the ids in an authorizer's settings."""
    return _id_words(authorizer.issuer, *authorizer.audience[:1])


def token_words(token: Token) -> dict[str, str]:
    """The words for the ids in a token of a user pool; none for a token of anybody else."""
    issuer, claims = token.claims.get("iss"), token.claims
    if not isinstance(issuer, str) or not issuer.startswith(_COGNITO):
        return {}
    return _id_words(issuer, claims.get("aud", claims.get("client_id")))


def _id_words(issuer: str, *app_client_ids: object) -> dict[str, str]:
    pool = issuer.rpartition("/")[2] if issuer.startswith(_COGNITO) else ""
    return {pool: "$USER_POOL_ID", **{str(one): "$APP_CLIENT_ID" for one in app_client_ids if one}}


def decision_words(decision: Decision, request: ApiRequest, token: Token, now: float) -> dict[str, str]:
    """The words for the clock, for the times of the token, and for a size that decides nothing."""
    words = {moment(now): "now"}
    if decision.rule != "request-size":
        words[f"{request.size:,} bytes"] = "fewer bytes"
    for name in TIMES:
        seconds = jws.numeric_date(token.claims.get(name))
        if seconds is not None:
            words[f"{moment(seconds)}, {distance(seconds - now)}"] = about(seconds - now)
    return words
