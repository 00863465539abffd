"""The user pool's app client: what users sign in through, and whose id is the tokens' audience."""

from __future__ import annotations

from functools import partial
from typing import Any

from labkit.aws import newest_first
from labkit.machine.side_by_side import side_by_side
from labkit.steps.report import Expected
from labkit.target import kinds
from labkit.target.target import Target

# What DescribeUserPoolClient tells and UpdateUserPoolClient does not take; the rest it resets, too.
_ONLY_TOLD_OF_CLIENTS = frozenset({"ClientSecret", "CreationDate", "LastModifiedDate"})

CALLBACK_URL = "http://localhost:8000/callback"

APP_CLIENT_SETTINGS: dict[str, Any] = {
    # Through the API the default set has no password sign-in; the post's own calls need it.
    "ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
    "SupportedIdentityProviders": ["COGNITO"],
    "AllowedOAuthFlowsUserPoolClient": True,
    "AllowedOAuthFlows": ["code"],
    "AllowedOAuthScopes": ["phone", "email", "openid", "profile"],
    "CallbackURLs": [CALLBACK_URL],
    "PreventUserExistenceErrors": "ENABLED",
}


def named_app_clients(target: Target, user_pool_id: str) -> list[dict[str, Any]]:
    """Every app client of a pool that bears the lab's name, the newest first: more than one after a lost answer."""
    read = (
        partial(target.read, "cognito-idp", "describe_user_pool_client", UserPoolId=user_pool_id, ClientId=client_id)
        for client_id in _named_ids(target, user_pool_id)
    )
    clients = [answer["UserPoolClient"] for answer in side_by_side(*read) if answer]
    return newest_first(clients, "CreationDate")


def find_app_client(target: Target, user_pool_id: str) -> dict[str, Any] | None:
    """The lab's app client as DescribeUserPoolClient tells it, if it exists."""
    return next(iter(named_app_clients(target, user_pool_id)), None)


def app_client_id(target: Target, user_pool_id: str) -> str | None:
    """The id of the lab's app client, if it exists."""
    named = _named_ids(target, user_pool_id)
    if len(named) == 1:
        return named[0]
    client = find_app_client(target, user_pool_id)
    return str(client["ClientId"]) if client else None


def _named_ids(target: Target, user_pool_id: str) -> list[str]:
    listed = target.every("cognito-idp", "list_user_pool_clients", "UserPoolClients", UserPoolId=user_pool_id)
    return [client["ClientId"] for client in listed if client.get("ClientName") == target.names.app_client]


def ensure_app_client(target: Target, user_pool_id: str) -> None:
    """Create the app client, or mend it; of several the newest is kept."""
    cognito, clients = target.client("cognito-idp"), named_app_clients(target, user_pool_id)
    this = kinds.APP_CLIENT, target.names.app_client
    for double in clients[1:]:
        target.deeds.mended(*this, "a second one", "there")
        cognito.delete_user_pool_client(UserPoolId=user_pool_id, ClientId=double["ClientId"])
    if not clients:
        target.deeds.created(*this)
        cognito.create_user_pool_client(
            UserPoolId=user_pool_id, ClientName=target.names.app_client, GenerateSecret=False, **APP_CLIENT_SETTINGS
        )
        return
    if target.deeds.drifted(*this, _compared(clients[0]), _compared(APP_CLIENT_SETTINGS)):
        cognito.update_user_pool_client(**mended_settings(clients[0]))


def mended_settings(client: dict[str, Any]) -> dict[str, Any]:
    """All settings of an app client, ours in their places: UpdateUserPoolClient resets what it is not given."""
    settings = {key: value for key, value in client.items() if key not in _ONLY_TOLD_OF_CLIENTS} | APP_CLIENT_SETTINGS
    if settings.get("DefaultRedirectURI") not in settings["CallbackURLs"]:
        settings.pop("DefaultRedirectURI", None)  # it must be one of them
    return settings


def _compared(settings: dict[str, Any]) -> dict[str, object]:
    """What the lab sets, as it is compared: the order in a list does not count."""
    found = {key: settings.get(key) for key in APP_CLIENT_SETTINGS}
    return {key: ", ".join(sorted(value)) if isinstance(value, list) else value for key, value in found.items()}


def app_client_rows(target: Target, user_pool_id: str) -> list[Expected]:
    """The assertions on the app client."""
    name, client = target.names.app_client, find_app_client(target, user_pool_id)
    if client is None:
        why = "Users sign in through it, and its id is the audience."
        return [Expected(f"app client {name}", "found", "missing", why)]
    actual, secret = _compared(client), "a secret" if client.get("ClientSecret") else "none"
    return [
        *(
            Expected(f"{key} of {name}", expected, actual[key], _WHY.get(key, "The post builds it so."))
            for key, expected in _compared(APP_CLIENT_SETTINGS).items()
        ),
        Expected(f"client secret of {name}", "none", secret, "With a secret every sign-in would need a SECRET_HASH."),
    ]


_WHY = {
    "ExplicitAuthFlows": "Without ALLOW_USER_PASSWORD_AUTH the sign-in with user name and password is refused.",
    "PreventUserExistenceErrors": "A wrong user name must not be told apart from a wrong password.",
}
