"""What only looks like a lab's, made as somebody else would make it."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

from tests.removal.account import Client

ANOTHER_LABS = {"jwt-authorizer-lab": "another"}

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"},
        ],
    }
)
POLICY = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"}]}
)


def user_pool(client: Client, name: str, tags: dict[str, str] | None = None, domain: str | None = None) -> str:
    cognito = client("cognito-idp")
    pool = cognito.create_user_pool(PoolName=name, UserPoolTags=tags or {})["UserPool"]["Id"]
    cognito.create_user_pool_client(UserPoolId=pool, ClientName=name)
    cognito.create_group(UserPoolId=pool, GroupName="admin")
    cognito.admin_create_user(UserPoolId=pool, Username="adminuser", MessageAction="SUPPRESS")
    if domain:
        cognito.create_user_pool_domain(UserPoolId=pool, Domain=domain)
    return str(pool)


def api(client: Client, name: str, tags: dict[str, str] | None = None) -> str:
    gateway = client("apigatewayv2")
    made = gateway.create_api(Name=name, ProtocolType="HTTP", Tags=tags or {})["ApiId"]
    gateway.create_route(ApiId=made, RouteKey="GET /AdminUser")
    gateway.create_stage(ApiId=made, StageName="$default", AutoDeploy=True)
    return str(made)


def role(client: Client, name: str, tags: dict[str, str] | None = None, path: str = "/jwt-authorizer-lab/") -> str:
    iam, listed = client("iam"), [{"Key": key, "Value": value} for key, value in (tags or {}).items()]
    made = iam.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=TRUST, Tags=listed)["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="write-own-logs", PolicyDocument=POLICY)
    return str(made)


def function(client: Client, name: str, role_arn: str, tags: dict[str, str] | None = None) -> None:
    functions, code = client("lambda"), {"ZipFile": _zip()}
    functions.create_function(
        FunctionName=name, Runtime="python3.13", Handler="index.handler", Role=role_arn, Code=code, Tags=tags or {}
    )
    functions.add_permission(
        FunctionName=name, StatementId="any", Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com"
    )
    functions.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.05})


def log_group(client: Client, name: str, tags: dict[str, str] | None = None) -> None:
    client("logs").create_log_group(logGroupName=name, tags=tags or {})


def _zip() -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("index.py", "def handler(event, context):\n    return 'mine'\n")
    return archive.getvalue()


def policy(client: Client, name: str) -> str:
    made: dict[str, Any] = client("iam").create_policy(PolicyName=name, PolicyDocument=POLICY)
    return str(made["Policy"]["Arn"])


def event_source(client: Client, function_name: str) -> str:
    """A queue that feeds a function. Returns the mapping's id."""
    queue = f"arn:aws:sqs:us-east-1:{client('sts').get_caller_identity()['Account']}:orders"
    made = client("lambda").create_event_source_mapping(EventSourceArn=queue, FunctionName=function_name)
    return str(made["UUID"])
