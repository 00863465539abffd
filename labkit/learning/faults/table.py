"""What can be broken in a lab: how each fault is made, the call that shows it, and the check that finds it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from labkit.questions.endpoint import Question
from labkit.questions.sign_in import set_membership
from labkit.steps.app_client import mended_settings, named_app_clients
from labkit.steps.functions import UPDATED, wait
from labkit.steps.http_api import route_statement
from labkit.steps.permissions import remove_permission
from labkit.steps.user_pool import find_user_pool, trigger_statement, updatable
from labkit.target.names import ADMIN, PRE_TOKEN, REGULAR, STAGE, scope
from labkit.target.target import Target

Ids = Mapping[str, str]

_KEYS = "/.well-known/jwks.json"
_ADMIN, _REGULAR = "GET /AdminUser", "GET /RegularUser"
_BY_ADMIN = Question(_ADMIN, "adminuser")


@dataclass(frozen=True)
class Fault:
    """One fault.

    Attributes:
        name: its name in the data of chapter 08.
        step: the step whose check finds it.
        subject: what that check calls it; `{lab}` stands for the lab's name.
        call: the call that shows it.
        status: how a sound lab answers that call.
        make: puts it into a sound lab, given the ids that the lab's status tells. Making it twice makes it once.
        in_account: whether it may be made in an AWS account.
    """

    name: str
    step: str
    subject: str
    call: Question
    status: int
    make: Callable[[Target, Ids], None]
    in_account: bool = True

    def is_named_by(self, subject: str, lab: str) -> bool:
        """Whether this is what a check's finding is about."""
        return subject == self.subject.replace("{lab}", lab)


def _trust(target: Target, ids: Ids, **changed: Any) -> None:
    jwt = {"Issuer": ids["issuer"], "Audience": [ids["app_client_id"]]} | changed
    _gateway(target).update_authorizer(ApiId=ids["api_id"], AuthorizerId=ids["authorizer_id"], JwtConfiguration=jwt)


def _audience(target: Target, ids: Ids) -> None:
    _trust(target, ids, Audience=[ids["user_pool_id"]])


def _issuer(target: Target, ids: Ids) -> None:
    """The address that serves the keys in place of the issuer's name: what is there can be discovered."""
    _trust(target, ids, Issuer=target.place.keys_url(ids["issuer"]).removesuffix(_KEYS))


def _route(target: Target, ids: Ids, **changed: Any) -> None:
    _gateway(target).update_route(ApiId=ids["api_id"], RouteId=ids["admin_route_id"], **changed)


def _scope(target: Target, ids: Ids) -> None:
    _route(target, ids, AuthorizationScopes=["admin"])


def _open(target: Target, ids: Ids) -> None:
    _route(target, ids, AuthorizationType="NONE", AuthorizationScopes=[])


def _deployment(target: Target, ids: Ids) -> None:
    """Deploy the route with another scope, and take only the route back."""
    _scope(target, ids)
    _gateway(target).create_deployment(ApiId=ids["api_id"], StageName=STAGE, Description="before the last change")
    _route(target, ids, AuthorizationScopes=[scope("admin", ids["app_client_id"])])


def _route_permission(target: Target, ids: Ids) -> None:
    remove_permission(target, ADMIN, route_statement(target, ids["api_id"], _ADMIN))


def _trigger_permission(target: Target, ids: Ids) -> None:
    remove_permission(target, PRE_TOKEN, trigger_statement(target, ids["user_pool_id"]))


def _group(target: Target, ids: Ids) -> None:
    set_membership(target, "adminuser", "admin", member=False)


def _trigger(target: Target, ids: Ids) -> None:
    settings = updatable(find_user_pool(target) or {})
    triggers = {name: arn for name, arn in settings.get("LambdaConfig", {}).items() if "PreToken" not in name}
    target.client("cognito-idp").update_user_pool(
        UserPoolId=ids["user_pool_id"], **settings | {"LambdaConfig": triggers}
    )


def _handler(target: Target, ids: Ids) -> None:
    name = target.names.function(REGULAR)
    wait(target, name, UPDATED)
    target.client("lambda").update_function_configuration(FunctionName=name, Handler="index.lambdaHandler")
    wait(target, name, UPDATED)


def _flows(target: Target, ids: Ids) -> None:
    client = named_app_clients(target, ids["user_pool_id"])[0]
    flows = ["ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
    target.client("cognito-idp").update_user_pool_client(**mended_settings(client) | {"ExplicitAuthFlows": flows})


def _gateway(target: Target) -> Any:
    return target.client("apigatewayv2")


# Not made in an account: an open route; trust in an issuer that is not the lab's own; and a pool without its trigger,
# since whoever mends that without giving the pool's tag again has locked themselves out of it.
_embedded_only = partial(Fault, in_account=False)

FAULTS = {
    fault.name: fault
    for fault in (
        Fault("audience", "authorizer", "audience", _BY_ADMIN, 200, _audience),
        _embedded_only("issuer", "authorizer", "issuer", _BY_ADMIN, 200, _issuer),
        Fault("scope", "authorizer", f"scope of {_ADMIN}", _BY_ADMIN, 200, _scope),
        _embedded_only("open-route", "authorizer", f"authorizer of {_ADMIN}", Question(_ADMIN), 401, _open),
        Fault("deployment", "authorizer", f"deployment of stage {STAGE}",
              Question(_ADMIN, "adminuser", stage=STAGE), 200, _deployment),
        Fault("route-permission", "http-api", f"invoke permission of {{lab}}-{ADMIN}", _BY_ADMIN, 200,
              _route_permission),
        Fault("trigger-permission", "user-pool", f"invoke permission of {{lab}}-{PRE_TOKEN}", _BY_ADMIN, 200,
              _trigger_permission),
        Fault("group", "user-pool", "groups of adminuser", _BY_ADMIN, 200, _group),
        _embedded_only("trigger", "user-pool", "trigger of {lab}-users", _BY_ADMIN, 200, _trigger),
        Fault("handler", "functions", f"Handler of {{lab}}-{REGULAR}", Question(_REGULAR, "regularuser"), 200,
              _handler),
        Fault("sign-in-flows", "user-pool", "ExplicitAuthFlows of {lab}-app", _BY_ADMIN, 200, _flows),
    )
}  # fmt: skip
