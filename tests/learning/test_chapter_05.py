"""The tasks of chapter 05: open they fail, solved they pass, and each common wrong answer is met with its sentence."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from labkit.lab import Lab
from labkit.learning.lessons import lessons
from labkit.learning.task import Verdict
from labkit.steps.http_api import integrations_of, routes_of
from labkit.target.embedded import EmbeddedPlace
from tests.labs import lab_at

FUNCTION = "LambdaForAuditorUser"
RIGHT = [401, 200, 403, 200, 200]


@pytest.fixture(scope="module")
def lab(warm_home: Path) -> Iterator[Lab]:
    """A finished lab."""
    lab = lab_at(warm_home, "tasks-05")
    lab.up()
    yield lab
    lab.down()


def send(lab: Lab, path: str, token: str | None = None, agent: str = "curl/8.5.0") -> None:
    headers = {"User-Agent": agent} | ({"Authorization": token} if token else {})
    requests.get(lab.status().ids["api_url"] + path, headers=headers, timeout=10)


def test_the_five_calls_are_seen_one_after_the_other_and_the_labs_own_are_not(lab: Lab) -> None:
    lab.call("GET /AdminUser")
    lab.call("GET /AdminUser", "adminuser")
    assert said(lab.check_task("five-calls"), "five-calls") == "nothing"
    send(lab, "/AdminUser")
    send(lab, "/Test/AdminUser", lab.tokens("adminuser")["id"])
    verdict = lab.check_task("five-calls")
    assert said(verdict, "five-calls") == "some"
    assert verdict.sentence.startswith("2 of the five")
    assert [piece.right for piece in verdict.pieces] == [True, True, False, False, False]
    for trap, mistake in STRANGE.items():
        mistake(lab)
        assert said(lab.check_task("five-calls"), "five-calls") == trap
    send(lab, "/RegularUser", lab.tokens("adminuser")["id"])
    assert said(lab.check_task("five-calls"), "five-calls") == "other-kind", "what was mended is told no more"
    lab.solve("five-calls")
    assert lab.check_task("five-calls").passed


STRANGE: dict[str, Callable[[Lab], None]] = {
    "literal": lambda lab: send(lab, "/AdminUser", "$(labkit token regularuser)"),
    "malformed": lambda lab: send(lab, "/AdminUser", lab.tokens("regularuser")["id"][:200]),
    "no-token": lambda lab: send(lab, "/RegularUser"),
    "quotes": lambda lab: send(lab, "/AdminUser", f"Bearer '{lab.tokens('regularuser')['id']}'"),
    "glued": lambda lab: send(lab, "/AdminUser", f"Bearer{lab.tokens('regularuser')['id']}"),
    "other-kind": lambda lab: send(lab, "/AdminUser", lab.tokens("regularuser")["access"]),
    "not-found": lambda lab: send(lab, "/adminuser", lab.tokens("adminuser")["id"]),
    "refused": lambda lab: send(lab, "/RegularUser", lab.tokens("adminuser")["id"][:-8] + "AAAAAAAA"),
}


def test_no_verdict_tells_the_status_of_a_call_that_was_not_made(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(EmbeddedPlace, "visits", lambda *_: [])
    text = lab.check_task("five-calls").text() + lab.task("five-calls").text()
    assert not any(status in text for status in ("401", "403", "200"))


@pytest.mark.parametrize(
    ("given", "trap"),
    [(None, "enter"), ([401, 200], "five"), (200, "five"), ([403, 200, 403, 200, 200], "status"), (RIGHT, None)],
)
def test_of_an_account_the_learner_tells_what_came(lab: Lab, given: Any, trap: str | None) -> None:
    place = lab.target.place
    try:
        lab.target.place = _Account(place)  # type: ignore[assignment]
        verdict = lab.check_task("five-calls", *([] if given is None else [given]))
    finally:
        lab.target.place = place
    assert (verdict.passed, said(verdict, "five-calls")) == (trap is None, trap)


class _Account:
    """A place that is no embedded cloud, and otherwise the same."""

    def __init__(self, place: Any) -> None:
        self._place = place

    def __getattr__(self, name: str) -> Any:
        return getattr(self._place, name)


@pytest.fixture(scope="module")
def built(lab: Lab) -> Iterator[Lab]:
    """The lab with the third endpoint."""
    assert said(lab.check_task("reports"), "reports") == "no-group"
    lab.solve("reports")
    yield lab
    lab.reset_task("reports")
    assert said(lab.check_task("reports"), "reports") == "no-group"
    assert lab.check().passed


def test_the_third_endpoint_passes_and_is_no_drift(built: Lab) -> None:
    verdict = built.check_task("reports")
    assert verdict.passed, verdict.text()
    assert "auditoruser: GET /Test/Reports" in verdict.text()
    assert built.check().passed
    built.up()
    assert built.check().passed
    assert built.check_task("reports").passed


class Parts:
    """The third endpoint as a learner's own calls would change it."""

    def __init__(self, lab: Lab) -> None:
        ids, self.names, client = lab.status().ids, lab.target.names, lab.target.client
        self.cognito, self.gateway, self.functions = client("cognito-idp"), client("apigatewayv2"), client("lambda")
        self.iam, self.pool, self.api_id = client("iam"), ids["user_pool_id"], ids["api_id"]
        self.user = {"UserPoolId": self.pool, "Username": "auditoruser"}
        self.route = {"ApiId": self.api_id, "RouteId": routes_of(lab.target, self.api_id)["GET /Reports"]["RouteId"]}
        self.function = {"FunctionName": self.names.function(FUNCTION)}
        self.arn, self.role = self.names.function_arn(FUNCTION), self.names.role(FUNCTION)
        self.integration = next(
            {"ApiId": self.api_id, "IntegrationId": i}
            for i, found in integrations_of(lab.target, self.api_id).items()
            if found["IntegrationUri"] == self.arn
        )

    def permit(self, **source: str) -> None:
        self.functions.remove_permission(**self.function, StatementId="http-api-runs-the-function")
        name, action = "http-api-runs-the-function", "lambda:InvokeFunction"
        gateway = "apigateway.amazonaws.com"
        self.functions.add_permission(**self.function, StatementId=name, Action=action, Principal=gateway, **source)

    def forget_role(self) -> None:
        self.iam.delete_role_policy(RoleName=self.role, PolicyName="write-own-logs")
        self.iam.delete_role(RoleName=self.role)

    def wear_a_stray_role(self) -> None:
        trust = self.iam.get_role(RoleName=self.role)["Role"]["AssumeRolePolicyDocument"]
        made = self.iam.create_role(
            RoleName=STRAY, Path="/jwt-authorizer-lab/", AssumeRolePolicyDocument=json.dumps(trust)
        )
        self.functions.update_function_configuration(**self.function, Role=made["Role"]["Arn"])

    def wear_its_own_role(self) -> None:
        self.functions.update_function_configuration(**self.function, Role=self.names.role_arn(FUNCTION))
        self.iam.delete_role(RoleName=STRAY)

    def deploy_an_older_api(self) -> None:
        """As when the route came after the last deployment."""
        kept = {k: self.gateway.get_route(**self.route)[k] for k in ROUTE}
        self.gateway.delete_route(**self.route)
        self.gateway.create_deployment(ApiId=self.api_id, StageName="Test")
        self.gateway.create_route(ApiId=self.api_id, **kept)


STRAY = "my-role-for-reports"
ROUTE = ("RouteKey", "Target", "AuthorizationType", "AuthorizerId", "AuthorizationScopes")
# In an order in which each can be mended by the solution.
TRAPS: dict[str, Callable[[Parts], Any]] = {
    "open": lambda at: at.gateway.update_route(**at.route, AuthorizationType="NONE"),
    "other-authorizer": lambda at: at.gateway.update_route(**at.route, AuthorizationType="AWS_IAM"),
    "no-scope": lambda at: at.gateway.update_route(**at.route, AuthorizationScopes=[]),
    "other-scope": lambda at: at.gateway.update_route(**at.route, AuthorizationScopes=["auditor"]),
    "other-integration": lambda at: at.gateway.update_integration(
        **at.integration, IntegrationUri=at.names.function_arn("LambdaForAdminUser")
    ),
    "any-source": lambda at: at.permit(),
    "no-permission": lambda at: at.permit(SourceArn=at.names.route_arn(at.api_id, "GET /AdminUser")),
    "not-deployed": Parts.deploy_an_older_api,
    "answer": lambda at: at.functions.update_function_configuration(**at.function, Handler="lambda_function.none"),
    "no-route": lambda at: at.gateway.delete_route(**at.route),
    "no-tag": lambda at: at.functions.untag_resource(Resource=at.arn, TagKeys=["jwt-authorizer-lab"]),
    "no-function": lambda at: at.functions.delete_function(**at.function),
    "stray-role": Parts.wear_a_stray_role,
    "no-role": Parts.forget_role,
    "not-in-group": lambda at: at.cognito.admin_remove_user_from_group(**at.user, GroupName="auditor"),
    "no-group": lambda at: at.cognito.delete_group(UserPoolId=at.pool, GroupName="auditor"),
    "cannot-sign-in": lambda at: at.cognito.admin_set_user_password(
        **at.user, Password="Aa1.other-one", Permanent=True
    ),
    "no-user": lambda at: at.cognito.admin_delete_user(**at.user),
}
MENDED_BY: dict[str, Callable[[Parts], Any]] = {
    "stray-role": Parts.wear_its_own_role,
    "answer": lambda at: at.functions.delete_function(**at.function),
    "no-tag": lambda at: at.functions.tag_resource(Resource=at.arn, Tags=at.names.tags),
}


@pytest.mark.parametrize("trap", TRAPS)
def test_each_piece_that_is_wrong_is_met_with_its_sentence_and_can_be_mended(built: Lab, trap: str) -> None:
    at = Parts(built)
    TRAPS[trap](at)
    verdict = built.check_task("reports")
    assert (verdict.outcome, said(verdict, "reports")) == ("not yet", trap), verdict.text()
    MENDED_BY.get(trap, lambda _: None)(at)
    built.solve("reports")


def test_the_learners_own_way_passes_too(built: Lab) -> None:
    assert built.check_task("reports").passed, "what the traps damaged is mended"
    at = Parts(built)
    at.permit(SourceArn=at.names.route_arn(at.api_id, "GET /Reports").replace("/GET/Reports", "/*"))
    at.cognito.admin_set_user_password(**at.user, Password="Aa1.my-own-one", Permanent=True)
    admins_role = at.names.role_arn("LambdaForAdminUser")
    at.functions.update_function_configuration(**at.function, Role=admins_role)
    verdict = built.check_task("reports", password="Aa1.my-own-one")
    assert verdict.passed, verdict.text()
    at.functions.update_function_configuration(**at.function, Role=at.names.role_arn(FUNCTION))


def test_every_sentence_has_its_trap() -> None:
    assert set(lessons().tasks["reports"].wrong) == set(TRAPS)
    assert set(lessons().tasks["five-calls"].wrong) == {*STRANGE, "nothing", "some", "enter", "five", "status"}


def said(verdict: Verdict, task: str) -> str | None:
    """Which of the task's sentences a verdict says."""
    for key, words in lessons().tasks[task].wrong.items():
        parts = [part for piece in words.split("{") for part in [piece.partition("}")[2] or piece]]
        if all(part in verdict.sentence for part in parts):
            return key
    return None
