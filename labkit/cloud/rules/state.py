"""What this project knows of MiniStack's inside, in one place: its stores, and the few functions of it that are called.

Everything here was read in one version of it, and holds for that version only.
"""

from __future__ import annotations

import functools
import importlib
import importlib.metadata
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.concurrency import run_reentrant
from ministack.services import apigateway, cloudwatch_logs, cognito, iam, lambda_svc, sts

from labkit.errors import LabError

VERSION = "1.5.33"

Record = dict[str, Any]

_originals: dict[tuple[str, str], Callable[..., Any]] = {}


def require_version() -> None:
    """Refuse a MiniStack that this was not written for. LabError if another version is installed."""
    installed = importlib.metadata.version("ministack")
    if installed != VERSION:
        raise LabError(
            f"MiniStack {installed} is installed, and the embedded cloud's rules were written for {VERSION}.",
            "Install the lab's packages again: make install",
        )


def install(module: str, name: str, function: Callable[..., Any], here: Any) -> None:
    """Put `function(here, original, ...)` in the place of `ministack.<module>.<name>`, also of what was put there."""
    place = importlib.import_module(f"ministack.{module}")
    original = _originals.setdefault((module, name), getattr(place, name))
    setattr(place, name, functools.partial(function, here, original))


def set_function_delay(seconds: float) -> None:
    """Set how long a new or changed function stays Pending."""
    lambda_svc._LAMBDA_STATE_TRANSITION_DELAY = seconds


# STS and IAM.


@dataclass(frozen=True)
class Session:
    """Temporary credentials. `expires` is in seconds since 1970; None for those of a function."""

    secret_access_key: str = field(repr=False)
    token: str = field(repr=False)
    expires: float | None


def session(access_key_id: str) -> Session | None:
    """The session that STS issued under an access key id."""
    found = sts._sessions.get(access_key_id)
    if not found or not found.get("SecretAccessKey"):
        return None
    return Session(found["SecretAccessKey"], found.get("SessionToken") or "", found.get("Expiration"))


def set_session_secret(access_key_id: str, secret_access_key: str, token: str) -> None:
    """Give a session another secret and another token."""
    sts._sessions[access_key_id] |= {"SecretAccessKey": secret_access_key, "SessionToken": token}


def role(account_id: str, arn: str) -> Record | None:
    """The role that an ARN names."""
    found = iam._roles.get_scoped(account_id, None, arn.rsplit("/", 1)[-1])
    return found if found and found["Arn"] == arn else None


def trusts(role_record: Record, service: str) -> bool:
    """Whether a role's trust policy lets a service (`lambda.amazonaws.com`) assume it."""
    return _lets_service(role_record["AssumeRolePolicyDocument"], service, "sts:AssumeRole", "*", {})


def role_may(account_id: str, role_arn: str, action: str, resource: str) -> bool:
    """Whether the policies of a role allow it an action on a resource."""
    context = iam_evaluator.EvalContext(role_arn, "AssumedRole", account_id, action, resource, "")
    policies = iam_evaluator._gather_role_policies(role_arn.rsplit("/", 1)[-1], account_id)
    return bool(iam_evaluator.evaluate(context, policies).decision == "Allow")


def _lets_service(
    document: str | Mapping[str, Any], service: str, action: str, resource: str, keys: Mapping[str, str]
) -> bool:
    try:
        policy = json.loads(document) if isinstance(document, str) else document
    except ValueError:
        return False
    statements = policy.get("Statement", []) if isinstance(policy, Mapping) else []
    listed = statements if isinstance(statements, list) else [statements]
    # A trust policy names no resource: it stands on the role itself.
    complete = [{"Resource": "*", **statement} for statement in listed if isinstance(statement, dict)]
    context = iam_evaluator.EvalContext(service, "Service", "", action, resource, "", service_context=dict(keys))
    result = iam_evaluator.evaluate_resource_policy({"Statement": complete}, context, service=service)
    return bool(result.decision == "Allow")


# Lambda.


def function(account_id: str, region: str, reference: str) -> Record | None:
    """A function's record, by its name, its ARN, or the URI that an integration gives."""
    name = apigateway._extract_lambda_ref_from_integration_uri(reference)
    record, config, _ = lambda_svc._get_func_record_for_ref_in_scope(name, account_id=account_id, region=region)
    return lambda_svc._execution_record_for_config(record, config) if config else None


def functions(account_id: str, region: str) -> Iterator[tuple[str, dict[str, str]]]:
    """The ARN and the tags of every function of a region."""
    for record in lambda_svc._functions.values_scoped(account_id, region):
        yield record["config"]["FunctionArn"], record["tags"]


def function_regions() -> list[str]:
    """The regions that have functions, of whichever account."""
    return sorted({region for _, region, _ in list(lambda_svc._functions._data)})


def permissions(function_record: Record) -> list[Record]:
    """The statements of a function's policy; a version of a function has none of its own."""
    return list(function_record.get("policy", {}).get("Statement", ()))


def may_invoke(
    function_record: Record, statements: Iterable[Record], service: str, source_arn: str, account_id: str
) -> bool:
    """Whether statements let a service invoke a function.

    Args:
        function_record: the function.
        statements: those statements of its policy that count.
        service: the service's principal: `apigateway.amazonaws.com`.
        source_arn: the ARN of what the service acts for.
        account_id: the account of that.
    """
    arn = function_record["config"]["FunctionArn"]
    keys = {"aws:sourcearn": source_arn, "aws:sourceaccount": account_id}
    return _lets_service({"Statement": list(statements)}, service, "lambda:InvokeFunction", arn, keys)


def run(function_record: Record, event: Any) -> Record:
    """Run a function in this thread: {"body": what it returned}, with {"error": True} if it failed."""
    return dict(lambda_svc._execute_function_with_config_scope(function_record, event))


async def invoke(function_record: Record, event: Any) -> Record:
    """Run a function in a thread of its own."""
    return dict(await run_reentrant(run, function_record, event, thread_name="labkit-invoke"))


# Logs.


def log_groups(account_id: str, region: str) -> Iterator[tuple[str, Record]]:
    """The name and the record of every log group of a region."""
    yield from cloudwatch_logs._log_groups.items_scoped(account_id, region)


# Cognito.

SRP_MODULUS: int = cognito._SRP_N


def user_pool(pool_id: str) -> Record | None:
    """A user pool, whatever its region."""
    return next((pool for (_, _, found), pool in cognito._user_pools.all_items() if found == pool_id), None)


def user_pools(account_id: str, region: str) -> Iterator[Record]:
    """Every user pool of a region."""
    yield from cognito._user_pools.values_scoped(account_id, region)


def app_client(client_id: str) -> tuple[Record, Record] | None:
    """An app client and its user pool."""
    pools = (pool for _, pool in cognito._user_pools.all_items())
    return next(((pool["_clients"][client_id], pool) for pool in pools if client_id in pool["_clients"]), None)


def user(pool: Record, name: object) -> Record | None:
    """A user of a pool by name, sub or alias."""
    found: Record | None = cognito._resolve_user(pool, name)[0] if isinstance(name, str) else None
    return found


def attributes(user_record: Record) -> dict[str, str]:
    """A user's attributes by name."""
    return dict(cognito._attr_list_to_dict(user_record["Attributes"]))


def pool_keys(pool_id: str) -> list[Record]:
    """The public keys of a user pool, as JWKs."""
    return [cognito._pool_signing_key(pool_id, use)[1] for use in cognito._POOL_KEY_USES]


def password_faults(pool: Record, password: str) -> list[str]:
    """What a pool's password policy has against a password."""
    return list(cognito._password_policy_errors(pool, password))


def attribute_names(pool: Record) -> dict[str, bool]:
    """The attributes of a pool's schema by name, and whether each can be changed."""
    return {found["Name"]: found["Mutable"] for found in pool["SchemaAttributes"]}


def pool_of_token(token: str) -> Record | None:
    """The user pool that a token says it is from."""
    return user_pool(cognito._pool_id_from_token(token))


def answer_challenge(block: str) -> bool:
    """Whether the challenge of a secret block waits for an answer; from now on it does not."""
    session = cognito._challenge_sessions.get(block)
    if session is None or session.get("answered"):
        return False
    session["answered"] = True
    return True


def trigger_event(**details: Any) -> Record:
    """The event of a pre token generation trigger."""
    return dict(cognito._build_pretoken_event(**details))


# HTTP APIs.


@dataclass(frozen=True)
class Api:
    """An HTTP API with the account and the region that own it."""

    id: str
    account_id: str
    region: str
    record: Record

    @property
    def stages(self) -> dict[str, Record]:
        """Its stages by name."""
        return self._of(apigateway._stages)

    @property
    def routes(self) -> dict[str, Record]:
        """Its routes by id."""
        return self._of(apigateway._routes)

    @property
    def integrations(self) -> dict[str, Record]:
        """Its integrations by id."""
        return self._of(apigateway._integrations)

    @property
    def authorizers(self) -> dict[str, Record]:
        """Its authorizers by id."""
        return self._of(apigateway._authorizers)

    @property
    def deployments(self) -> dict[str, Record]:
        """Its deployments by id."""
        return self._of(apigateway._deployments)

    def tags(self, stage: str = "") -> dict[str, str]:
        """The tags of the API, or of one of its stages."""
        arn = self.arn(stage)
        return dict(apigateway._api_tags.get_scoped(self.account_id, self.region, arn) or {})

    def arn(self, stage: str = "") -> str:
        """The ARN of the API, or of one of its stages. It has no account."""
        return f"arn:aws:apigateway:{self.region}::/apis/{self.id}" + (f"/stages/{stage}" if stage else "")

    def _of(self, store: Any) -> dict[str, Record]:
        found: dict[str, Record] | None = store.get_scoped(self.account_id, self.region, self.id)
        return {} if found is None else found


def api(api_id: str) -> Api | None:
    """An HTTP API, whatever its region."""
    return next((found for found in _apis() if found.id == api_id), None)


def apis(account_id: str, region: str) -> Iterator[Api]:
    """Every HTTP API of a region."""
    yield from (found for found in _apis() if (found.account_id, found.region) == (account_id, region))


def refresh_tags(account_id: str, region: str) -> None:
    """Put the tags that the APIs of a region and their stages have now into their records."""
    for found in apis(account_id, region):
        found.record["tags"] = found.tags()
        for name, stage in found.stages.items():
            stage["tags"] = found.tags(name)


def forget_api(api_id: str) -> None:
    """Remove what MiniStack leaves of a deleted API."""
    for store in (apigateway._authorizers, apigateway._route_responses, apigateway._integration_responses):
        for account_id, region, found in list(store.to_dict()):
            if found == api_id:
                store.pop_scoped(account_id, region, found, None)


def match_route(routes: Iterable[Record], method: str, path: str) -> tuple[Record, dict[str, str]] | None:
    """The most specific of some routes that a request matches, with the values of its path parameters."""
    matches = [match for route in routes if (match := _match(route, method, path))]
    return max(matches, key=lambda match: match[0])[1:] if matches else None


def decode_path(raw_path: str) -> str:
    """A path as an HTTP API decodes it for its function."""
    return str(apigateway.decode_http_api_path(raw_path))


def _match(route: Record, method: str, path: str) -> tuple[tuple[int, ...], Record, dict[str, str]] | None:
    if route["routeKey"] == "$default":
        return (-1,), route, {}
    key_method, _, key_path = route["routeKey"].partition(" ")
    values = apigateway._extract_path_params(key_path, path) if key_method in (method, "ANY") else None
    return None if values is None else (apigateway._route_specificity(key_method, key_path), route, values)


def _apis() -> Iterator[Api]:
    for (account_id, region, api_id), record in apigateway._apis.all_items():
        yield Api(api_id, account_id, region, record)
