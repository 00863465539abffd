"""One thing of a finished lab is damaged: `check` names it, and `up` mends that and nothing else."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from labkit.cloud import process
from labkit.cloud.protocol import Cloud
from labkit.cloud.session import session
from labkit.errors import UsageError
from labkit.lab import Lab
from labkit.target.passwords import RESET
from labkit.text.shown import Shown
from tests.labs import Calls, lab_at, settings_report

NAME = "damaged"


class Site:
    """A finished lab as somebody with its account's credentials reaches it, without labkit's code."""

    def __init__(self, cloud: Cloud, ids: dict[str, str]) -> None:
        self.cloud, self.ids = cloud, ids
        made = session(cloud, "us-east-1")
        self.iam, self.functions, self.logs = made.client("iam"), made.client("lambda"), made.client("logs")
        self.cognito, self.gateway = made.client("cognito-idp"), made.client("apigatewayv2")

    @property
    def pool(self) -> dict[str, str]:
        return {"UserPoolId": self.ids["user_pool_id"]}

    @property
    def app_client(self) -> dict[str, str]:
        return {**self.pool, "ClientId": self.ids["app_client_id"]}

    @property
    def api(self) -> dict[str, str]:
        return {"ApiId": self.ids["api_id"]}

    @property
    def authorizer(self) -> dict[str, str]:
        return {**self.api, "AuthorizerId": self.ids["authorizer_id"]}

    @property
    def admin_route(self) -> dict[str, str]:
        return {**self.api, "RouteId": self.ids["admin_route_id"]}

    @property
    def regular_route(self) -> dict[str, str]:
        return {**self.api, "RouteId": self.ids["regular_route_id"]}

    @property
    def admin_integration(self) -> dict[str, str]:
        return {**self.api, "IntegrationId": self.ids["admin_integration_id"]}

    @property
    def trigger_arn(self) -> str:
        return f"arn:aws:lambda:us-east-1:{self.cloud.account_id}:function:{TRIGGER}"

    def user(self, name: str) -> dict[str, str]:
        return {**self.pool, "Username": name}

    def issuer_of_another_pool(self) -> str:
        pool = self.cognito.create_user_pool(PoolName="another")["UserPool"]["Id"]
        return f"https://cognito-idp.us-east-1.amazonaws.com/{pool}"

    def update_pool(self, **changed: Any) -> None:
        """Change settings of the pool as a careful person does: UpdateUserPool resets what it is not given."""
        told = self.cognito.describe_user_pool(**self.pool)["UserPool"]
        carried = ("Policies", "LambdaConfig", "AdminCreateUserConfig", "UserPoolTags")
        self.cognito.update_user_pool(**self.pool, **{**{key: told[key] for key in carried}, **changed})

    def update_app_client(self, **changed: Any) -> None:
        """Change settings of the app client in the same way."""
        told = self.cognito.describe_user_pool_client(**self.app_client)["UserPoolClient"]
        carried = {key: value for key, value in told.items() if value and not key.endswith("Date")}
        self.cognito.update_user_pool_client(**{**carried, **changed})

    def give_permission(self, function: str, statement: str, principal: str) -> None:
        """Put another permission in the place of one."""
        self.functions.remove_permission(FunctionName=function, StatementId=statement)
        self.functions.add_permission(
            FunctionName=function,
            StatementId=statement,
            Action="lambda:InvokeFunction",
            Principal=principal,
            SourceArn=f"arn:aws:cognito-idp:us-east-1:{self.cloud.account_id}:userpool/us-east-1_Other",
        )

    def let_everybody_run(self, function: str) -> None:
        self.functions.add_permission(
            FunctionName=function, StatementId="everybody", Action="lambda:InvokeFunction", Principal="*"
        )

    def routes(self) -> dict[str, str]:
        return {route["RouteKey"]: route["RouteId"] for route in self.gateway.get_routes(**self.api)["Items"]}

    def take_open_route(self) -> None:
        self.gateway.delete_route(**self.api, RouteId=self.routes()["GET /Open"])

    def trust(self, jwt: dict[str, Any]) -> None:
        """Change what the authorizer trusts."""
        as_it_is = {"Issuer": self.ids["issuer"], "Audience": [self.ids["app_client_id"]]}
        self.gateway.update_authorizer(**self.authorizer, JwtConfiguration={**as_it_is, **jwt})


TRIGGER = f"{NAME}-Pre-tokenAuthLambda"
ADMIN = f"{NAME}-LambdaForAdminUser"
REGULAR = f"{NAME}-LambdaForRegularUser"
ROLE = f"{ADMIN}-us-east-1"
X_RAY = "arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess"
# An update of the pool resets what it leaves out, the tags too.
TAGS = {"UserPoolTags": {"jwt-authorizer-lab": NAME}}

FOR_EC2 = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"},
        ],
    }
)
ALL_LOGS = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "logs:*", "Resource": "*"}]}
)


def other_code() -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("lambda_function.py", "def lambda_handler(event, context):\n    return 'hacked'\n")
    return archive.getvalue()


def delete_role(site: Site) -> None:
    site.iam.delete_role_policy(RoleName=ROLE, PolicyName="write-own-logs")
    site.iam.delete_role(RoleName=ROLE)


def deploy_another_scope(site: Site) -> None:
    """Deploy a change and take it back: only the deployment tells."""
    scopes = site.gateway.get_route(**site.admin_route)["AuthorizationScopes"]
    site.gateway.update_route(**site.admin_route, AuthorizationScopes=["other"])
    site.gateway.create_deployment(**site.api, StageName="Test")
    site.gateway.update_route(**site.admin_route, AuthorizationScopes=scopes)


def change_and_deploy_scope(site: Site) -> None:
    site.gateway.update_route(**site.admin_route, AuthorizationScopes=["other"])
    site.gateway.create_deployment(**site.api, StageName="Test", Description="other")


def delete_authorizer(site: Site) -> None:
    for route in (site.admin_route, site.regular_route):
        site.gateway.update_route(**route, AuthorizationType="NONE", AuthorizationScopes=[])
    site.gateway.delete_authorizer(**site.authorizer)


@dataclass(frozen=True)
class Damage:
    """What is damaged and how, the step and the subject of the first finding, the calls that mend it."""

    name: str
    do: Callable[[Site], object]
    step: str
    subject: str
    mended_by: list[str]


DAMAGES = [
    # Functions
    Damage(
        "retention removed",
        lambda s: s.logs.delete_retention_policy(logGroupName=f"/aws/lambda/{ADMIN}"),
        "functions", f"retention of /aws/lambda/{ADMIN}, in days", ["PutRetentionPolicy"],
    ),
    Damage(
        "log group deleted",
        lambda s: s.logs.delete_log_group(logGroupName=f"/aws/lambda/{ADMIN}"),
        "functions", f"retention of /aws/lambda/{ADMIN}, in days", ["CreateLogGroup", "PutRetentionPolicy"],
    ),
    Damage(
        "role trusts another service",
        lambda s: s.iam.update_assume_role_policy(RoleName=ROLE, PolicyDocument=FOR_EC2),
        "functions", f"trust of {ROLE}", ["UpdateAssumeRolePolicy"],
    ),
    Damage(
        "role may do more",
        lambda s: s.iam.put_role_policy(RoleName=ROLE, PolicyName="write-own-logs", PolicyDocument=ALL_LOGS),
        "functions", f"permissions of {ROLE}", ["PutRolePolicy"],
    ),
    Damage(
        "role may do nothing",
        lambda s: s.iam.delete_role_policy(RoleName=ROLE, PolicyName="write-own-logs"),
        "functions", f"permissions of {ROLE}", ["PutRolePolicy"],
    ),
    Damage("role deleted", delete_role, "functions", f"role {ROLE}", ["CreateRole", "PutRolePolicy"]),
    Damage(
        "handler named as in the post",
        lambda s: s.functions.update_function_configuration(FunctionName=TRIGGER, Handler="index.lambdaHandler"),
        "functions", f"Handler of {TRIGGER}", ["UpdateFunctionConfiguration"],
    ),
    Damage(
        "timeout shortened",
        lambda s: s.functions.update_function_configuration(FunctionName=TRIGGER, Timeout=1),
        "functions", f"Timeout of {TRIGGER}", ["UpdateFunctionConfiguration"],
    ),
    Damage(
        "code replaced",
        lambda s: s.functions.update_function_code(FunctionName=REGULAR, ZipFile=other_code()),
        "functions", f"code of {REGULAR}", ["UpdateFunctionCode"],
    ),
    Damage(
        "function deleted",
        lambda s: s.functions.delete_function(FunctionName=ADMIN),
        "functions", f"function {ADMIN}", ["CreateFunction", "AddPermission"],
    ),
    # User pool
    Damage(
        "trigger's permission removed",
        lambda s: s.functions.remove_permission(FunctionName=TRIGGER, StatementId="cognito-runs-the-trigger"),
        "user-pool", f"invoke permission of {TRIGGER}", ["AddPermission"],
    ),
    Damage(
        "trigger's permission given to another pool",
        lambda s: s.give_permission(TRIGGER, "cognito-runs-the-trigger", "cognito-idp.amazonaws.com"),
        "user-pool", f"invoke permission of {TRIGGER}", ["RemovePermission", "AddPermission"],
    ),
    Damage(
        "trigger run by everybody",
        lambda s: s.let_everybody_run(TRIGGER),
        "user-pool", f"invoke permission of {TRIGGER}", ["RemovePermission"],
    ),
    Damage(
        "trigger detached",
        lambda s: s.cognito.update_user_pool(**s.pool, **TAGS, LambdaConfig={}),
        "user-pool", f"trigger of {NAME}-users", ["UpdateUserPool"],
    ),
    Damage(
        "trigger with another event version",
        lambda s: s.cognito.update_user_pool(
            **s.pool,
            **TAGS,
            LambdaConfig={
                "PreTokenGeneration": s.trigger_arn,
                "PreTokenGenerationConfig": {"LambdaArn": s.trigger_arn, "LambdaVersion": "V2_0"},
            },
        ),
        "user-pool", f"trigger of {NAME}-users", ["UpdateUserPool"],
    ),
    Damage(
        "sign-in flows reset",
        lambda s: s.update_app_client(ExplicitAuthFlows=["ALLOW_REFRESH_TOKEN_AUTH"]),
        "user-pool", f"ExplicitAuthFlows of {NAME}-app", ["UpdateUserPoolClient"],
    ),
    Damage(
        "every setting of the app client reset",
        lambda s: s.cognito.update_user_pool_client(**s.app_client),
        "user-pool", f"ExplicitAuthFlows of {NAME}-app", ["UpdateUserPoolClient"],
    ),
    Damage(
        "weaker passwords allowed",
        lambda s: s.update_pool(Policies={"PasswordPolicy": {"MinimumLength": 6}}),
        "user-pool", f"password policy of {NAME}-users", ["UpdateUserPool"],
    ),
    Damage(
        "sign-up opened to everybody",
        lambda s: s.update_pool(AdminCreateUserConfig={"AllowAdminCreateUserOnly": False}),
        "user-pool", f"sign-up of {NAME}-users", ["UpdateUserPool"],
    ),
    Damage(
        "domain deleted",
        lambda s: s.cognito.delete_user_pool_domain(**s.pool, Domain=s.ids["domain"]),
        "user-pool", f"hosted domain of {NAME}-users", ["CreateUserPoolDomain"],
    ),
    Damage(
        "left the group",
        lambda s: s.cognito.admin_remove_user_from_group(**s.user("adminuser"), GroupName="admin"),
        "user-pool", "groups of adminuser", ["AdminAddUserToGroup"],
    ),
    Damage(
        "joined the group",
        lambda s: s.cognito.admin_add_user_to_group(**s.user("regularuser"), GroupName="admin"),
        "user-pool", "groups of regularuser", ["AdminRemoveUserFromGroup"],
    ),
    Damage(
        "group deleted",
        lambda s: s.cognito.delete_group(**s.pool, GroupName="admin"),
        "user-pool", "groups of adminuser", ["CreateGroup", "AdminAddUserToGroup"],
    ),
    Damage(
        "user disabled",
        lambda s: s.cognito.admin_disable_user(**s.user("adminuser")),
        "user-pool", "status of adminuser", ["AdminEnableUser"],
    ),
    Damage(
        "user has to change the password",
        lambda s: s.cognito.admin_set_user_password(**s.user("adminuser"), Password="Some.other.1", Permanent=False),
        "user-pool", "status of adminuser", ["AdminSetUserPassword"],
    ),
    Damage(
        "user deleted",
        lambda s: s.cognito.admin_delete_user(**s.user("regularuser")),
        "user-pool", "user regularuser", ["AdminCreateUser", "AdminSetUserPassword", "AdminAddUserToGroup"],
    ),
    # HTTP API
    Damage(
        "route's permission removed",
        lambda s: s.functions.remove_permission(FunctionName=ADMIN, StatementId="http-api-runs-the-function"),
        "http-api", f"invoke permission of {ADMIN}", ["AddPermission"],
    ),
    Damage(
        "route's permission given to another service",
        lambda s: s.give_permission(ADMIN, "http-api-runs-the-function", "events.amazonaws.com"),
        "http-api", f"invoke permission of {ADMIN}", ["RemovePermission", "AddPermission"],
    ),
    Damage(
        "function run by everybody",
        lambda s: s.let_everybody_run(ADMIN),
        "http-api", f"invoke permission of {ADMIN}", ["RemovePermission"],
    ),
    Damage(
        "integration with another function",
        lambda s: s.gateway.update_integration(
            **s.admin_integration,
            IntegrationUri=f"arn:aws:lambda:us-east-1:{s.cloud.account_id}:function:{REGULAR}",
        ),
        "http-api", "IntegrationUri behind GET /AdminUser",
        ["CreateIntegration", "UpdateRoute", "DeleteIntegration", "CreateDeployment"],
    ),
    Damage(
        "route deleted",
        lambda s: s.gateway.delete_route(**s.admin_route),
        "http-api", "route GET /AdminUser", ["CreateRoute", "UpdateRoute", "CreateDeployment"],
    ),
    # Authorizer
    Damage(
        "audience changed",
        lambda s: s.trust({"Audience": ["other"]}),
        "authorizer", "audience", ["UpdateAuthorizer"],
    ),
    Damage(
        "issuer changed",
        lambda s: s.trust({"Issuer": s.issuer_of_another_pool()}),
        "authorizer", "issuer", ["UpdateAuthorizer"],
    ),
    Damage(
        "token looked for elsewhere",
        lambda s: s.gateway.update_authorizer(**s.authorizer, IdentitySource=["$request.header.X-Token"]),
        "authorizer", "identity source", ["UpdateAuthorizer"],
    ),
    Damage(
        "scope changed",
        lambda s: s.gateway.update_route(**s.admin_route, AuthorizationScopes=["admin"]),
        "authorizer", "scope of GET /AdminUser", ["UpdateRoute"],
    ),
    Damage(
        "scope removed",
        lambda s: s.gateway.update_route(**s.regular_route, AuthorizationScopes=[]),
        "authorizer", "scope of GET /RegularUser", ["UpdateRoute"],
    ),
    Damage(
        "scope changed and deployed",
        change_and_deploy_scope,
        "authorizer", "scope of GET /AdminUser", ["UpdateRoute", "CreateDeployment"],
    ),
    Damage(
        "route open to everybody",
        lambda s: s.gateway.update_route(**s.admin_route, AuthorizationType="NONE", AuthorizationScopes=[]),
        "authorizer", "authorizer of GET /AdminUser", ["UpdateRoute"],
    ),
    Damage(
        "authorizer deleted",
        delete_authorizer,
        "authorizer", "authorizer JWTAuth", ["CreateAuthorizer", "UpdateRoute", "UpdateRoute", "CreateDeployment"],
    ),
    Damage(
        "another deployment",
        deploy_another_scope,
        "authorizer", "deployment of stage Test", ["CreateDeployment"],
    ),
    Damage(
        "stage Test deleted",
        lambda s: s.gateway.delete_stage(**s.api, StageName="Test"),
        "authorizer", "deployment of stage Test", ["CreateStage", "CreateDeployment"],
    ),
    Damage(
        "stage $default deleted",
        lambda s: s.gateway.delete_stage(**s.api, StageName="$default"),
        "authorizer", "stage $default", ["CreateStage"],
    ),
    Damage(
        "stage $default not deployed by itself",
        lambda s: s.gateway.update_stage(**s.api, StageName="$default", AutoDeploy=False),
        "authorizer", "stage $default", ["UpdateStage"],
    ),
]  # fmt: skip


@pytest.fixture(scope="module")
def lab(warm_home: Path) -> Lab:
    """One finished lab, damaged and mended again and again."""
    made = lab_at(warm_home, NAME)
    made.up()
    return made


@pytest.fixture(scope="module")
def site(lab: Lab, warm_home: Path) -> Site:
    """The lab, for somebody who damages it."""
    return Site(process.start(warm_home), lab.status().ids)


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.name)
def test_a_damage_is_named_and_mended_and_nothing_else_is_touched(damage: Damage, lab: Lab, site: Site) -> None:
    before = site.ids = lab.status().ids
    damage.do(site)

    found = settings_report(lab).findings
    calls = Calls(lab.target)
    mended = lab.up()
    after = mended.ids

    remedy = f"labkit up --through {damage.step}"  # and no further: a chapter may have come only so far
    assert found, "check saw nothing"
    assert (found[0].step, found[0].subject, found[0].remedy) == (damage.step, damage.subject, remedy)
    assert calls.writes == damage.mended_by
    told = next(state.happened for state in mended.states if state.step == damage.step)
    assert told, "up does not say that it mended something"
    assert settings_report(lab).findings == ()
    kept = ("user_pool_id", "app_client_id", "api_id", "issuer", "domain")
    assert {key: after.get(key) for key in kept} == {key: before.get(key) for key in kept}


def test_what_was_damaged_and_mended_so_often_answers_as_at_first(lab: Lab) -> None:
    assert lab.check().findings == ()


@pytest.mark.parametrize("route", ["GET/Mine", "*/AdminUser"])
def test_what_a_learners_own_route_needs_is_no_fault_and_stays(route: str, lab: Lab, site: Site) -> None:
    """Nor is what the console writes for the lab's route, which also does alone."""
    own = f"arn:aws:execute-api:us-east-1:{site.cloud.account_id}:{site.ids['api_id']}/*/{route}"
    mine = {"FunctionName": ADMIN, "StatementId": "mine"}
    site.functions.add_permission(
        **mine, Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com", SourceArn=own
    )
    if route.endswith("AdminUser"):
        site.functions.remove_permission(FunctionName=ADMIN, StatementId="http-api-runs-the-function")
    calls = Calls(lab.target)
    lab.up()

    assert calls.writes == []
    assert settings_report(lab).findings == ()
    site.functions.remove_permission(**mine)
    lab.up()


@pytest.mark.parametrize(
    ("put", "subject", "line", "take"),
    [
        (lambda s: s.iam.put_role_policy(RoleName=ROLE, PolicyName="mine", PolicyDocument=ALL_LOGS),
         f"policy mine of {ROLE}", f"aws iam delete-role-policy --role-name {ROLE} --policy-name mine",
         lambda s: s.iam.delete_role_policy(RoleName=ROLE, PolicyName="mine")),
        (lambda s: s.iam.attach_role_policy(RoleName=ROLE, PolicyArn=X_RAY),
         f"policy AWSXRayDaemonWriteAccess of {ROLE}",
         f"aws iam detach-role-policy --role-name {ROLE} --policy-arn {X_RAY}",
         lambda s: s.iam.detach_role_policy(RoleName=ROLE, PolicyArn=X_RAY)),
        (lambda s: s.gateway.create_route(**s.api, RouteKey="GET /Open"), "authorizer of GET /Open",
         "aws apigatewayv2 delete-route --api-id {api} --route-id {route}", Site.take_open_route),
    ],
    ids=["a policy in a role", "a policy attached to a role", "an open route"],
)  # fmt: skip
def test_what_is_beside_the_labs_own_is_told_and_left(
    put: Callable[[Site], object], subject: str, line: str, take: Callable[[Site], object], lab: Lab, site: Site
) -> None:
    put(site)
    calls = Calls(lab.target)
    lab.up()
    written = [write for write in calls.writes if write != "CreateDeployment"]
    (found,) = settings_report(lab).findings

    assert written == []
    assert found.subject == subject
    line = line.format(api=site.ids["api_id"], route=site.routes().get("GET /Open"))
    assert found.remedy.endswith(line)
    take(site)
    lab.up()
    assert settings_report(lab).findings == ()


def test_a_browsers_question_before_a_call_may_be_open(lab: Lab, site: Site) -> None:
    route = site.gateway.create_route(**site.api, RouteKey="OPTIONS /{proxy+}")["RouteId"]
    lab.up()
    assert settings_report(lab).findings == ()
    site.gateway.delete_route(**site.api, RouteId=route)
    lab.up()


PASSWORDS = ["password of adminuser", "password of regularuser"]


def test_passwords_that_are_not_known_here_are_no_fault_and_stay_as_they_are(lab: Lab) -> None:
    told = list[str]()
    elsewhere = Lab(lab.settings, tell=told.append)
    file = lab.target.folder / "passwords.json"
    kept = file.read_text()
    file.unlink()

    report = elsewhere.check()
    calls = Calls(elsewhere.target)
    elsewhere.up()

    assert (report.findings, report.passed) == ((), True)
    assert [row.subject for row in report.unknown if row.step == "user-pool"] == PASSWORDS
    assert {row.step for row in report.unknown} == {"user-pool", "calls"}
    assert {row.remedy for row in report.unknown} == {RESET}
    assert report.text().splitlines()[0].endswith(f"checks passed, {len(report.unknown)} could not be made.")
    for said in (report.text(), report.html()):
        assert "The password of adminuser is not known on this machine: it is kept on the one that set it." in said
        assert said.count("labkit up --through user-pool --reset-passwords") == 1
    assert len(report.to_dict()["unknown"]) == len(report.unknown)
    assert calls.writes == []
    assert told == [f"This machine does not know the password of adminuser and regularuser. {RESET}"]
    file.write_text(kept)
    assert lab.check().to_dict()["unknown"] == []


def test_passwords_that_somebody_set_since_are_named_and_stay_until_a_reset_is_asked_for(lab: Lab, site: Site) -> None:
    site.cognito.admin_set_user_password(**site.user("adminuser"), Password="Some.other.1", Permanent=True)
    told = list[str]()
    owner = Lab(lab.settings, tell=told.append)

    found, in_all = lab.check("user-pool").findings, lab.check().findings
    calls = Calls(owner.target)
    owner.up()
    assert calls.writes == []
    assert told == [f"This machine does not know the password of adminuser. {RESET}"]
    told.clear()
    owner.up("user-pool", reset_passwords=True)

    assert [(row.subject, row.expected, row.remedy) for row in found] == [(PASSWORDS[0], "signs in", RESET)]
    assert "NotAuthorizedException: Incorrect username or password" in found[0].actual
    assert "somebody set another password since" in found[0].actual
    assert in_all[0].subject == PASSWORDS[0]
    assert "somebody set another password since" in in_all[0].actual
    assert calls.writes == ["AdminSetUserPassword", "AdminSetUserPassword"]
    assert told == [
        "Setting new passwords for adminuser and regularuser. Nobody can sign in with the present ones any more."
    ]
    assert lab.check().findings == lab.check().unknown == ()


def test_a_broken_trigger_is_no_fault_of_the_password(lab: Lab, site: Site) -> None:
    site.functions.remove_permission(FunctionName=TRIGGER, StatementId="cognito-runs-the-trigger")

    report = lab.check("user-pool")
    lab.up()

    assert PASSWORDS[0] not in [row.subject for row in report.findings]
    assert [row.subject for row in report.unknown] == PASSWORDS
    assert "UnexpectedLambdaException" in report.unknown[0].actual


def test_a_reset_of_passwords_that_would_set_none_is_refused(lab: Lab) -> None:
    calls = Calls(lab.target)

    with pytest.raises(UsageError) as error:
        lab.up("functions", reset_passwords=True)

    assert str(error.value) == (
        "Passwords are set in the step user-pool, and you asked to build through functions. Name a later step, or none."
    )
    assert calls.made == []


@pytest.mark.parametrize("build", [lambda lab: lab.up(), lambda lab: lab.ensure("authorizer")], ids=["up", "ensure"])
def test_what_was_mended_is_told_with_what_was_wrong(build: Callable[[Lab], Shown], lab: Lab, site: Site) -> None:
    site.trust({"Audience": ["nobody"]})
    site.gateway.delete_stage(**site.api, StageName="Test")
    site.gateway.update_route(**site.regular_route, AuthorizationType="NONE", AuthorizationScopes=[])

    text = re.sub(r"\s+", " ", build(lab).text())

    assert "authorizer JWTAuth mended: Audience was nobody" in text
    assert "GET /RegularUser mended: AuthorizationType was NONE, AuthorizationScopes was missing" in text
    assert "stage Test created" in text
    assert "GET /AdminUser mended" not in text


def test_a_second_up_changes_nothing(lab: Lab) -> None:
    before = lab.status().to_dict()
    calls = Calls(lab.target)

    again = lab.up()

    assert calls.writes == []
    assert again.to_dict() == lab.status().to_dict() == before
