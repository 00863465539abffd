"""The evaluator decides as IAM's documentation says. Each group of cases names its page of the IAM User Guide:

https://docs.aws.amazon.com/IAM/latest/UserGuide/
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.policies.evaluator import ALLOWED, EXPLICIT_DENY, IMPLICIT_DENY, Request, arn_like, decide, like

ROLE = "arn:aws:iam::111122223333:role/path/name"


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    filled = ({"Effect": "Allow", "Action": "*", "Resource": "*", **statement} for statement in statements)
    return {"Version": "2012-10-17", "Statement": list(filled)}


def under(condition: dict[str, Any], **context: str | list[str]) -> str:
    """What is decided if only a condition is in question."""
    keys = {key.replace("__", "/").replace("_", ":", 1): value for key, value in context.items()}
    return decide(Request("s3:GetObject", "arn:aws:s3:::bucket/key", keys), [policy({"Condition": condition})])


# reference_policies_evaluation-logic.html: all is denied by default, an allow overrides that, a deny overrides it all.
@pytest.mark.parametrize(
    ("policies", "decision"),
    [
        ([], IMPLICIT_DENY),
        ([policy()], IMPLICIT_DENY),
        ([policy({})], ALLOWED),
        ([policy({}, {"Effect": "Deny"})], EXPLICIT_DENY),
        ([policy({"Effect": "Deny"}), policy({})], EXPLICIT_DENY),
        ([policy({"Effect": "Deny", "Action": "s3:*"}), policy({})], ALLOWED),
        ([policy({"Action": "s3:*"}), policy({"Action": "iam:GetRole"})], ALLOWED),
    ],
)
def test_effects(policies: list[dict[str, Any]], decision: str) -> None:
    assert decide(Request("iam:GetRole", ROLE), policies) == decision


# access_policies_boundaries.html: what both allow is allowed, and a deny in either denies.
@pytest.mark.parametrize(
    ("identity", "boundary", "decision"),
    [
        (policy({}), policy({}), ALLOWED),
        (policy({}), policy({"Action": "s3:*"}), IMPLICIT_DENY),
        (policy({"Action": "s3:*"}), policy({}), IMPLICIT_DENY),
        (policy({}), policy({}, {"Effect": "Deny"}), EXPLICIT_DENY),
        (policy({"Effect": "Deny"}), policy({}), EXPLICIT_DENY),
    ],
)
def test_boundaries(identity: dict[str, Any], boundary: dict[str, Any], decision: str) -> None:
    assert decide(Request("iam:GetRole", ROLE), [identity], boundary) == decision


# reference_policies_elements_action.html: `*` and `?`, in any case of letters.
@pytest.mark.parametrize(
    ("pattern", "matches"),
    [("iam:GetRole", True), ("IAM:getrole", True), ("iam:Get*", True), ("iam:*Role", True), ("iam:?etRole", True),
     ("*", True), ("iam:Get", False), ("iam:?GetRole", False), ("s3:*", False)],
)  # fmt: skip
def test_actions(pattern: str, matches: bool) -> None:
    assert decide(Request("iam:GetRole", ROLE), [policy({"Action": pattern})]) == (
        ALLOWED if matches else IMPLICIT_DENY
    )


# reference_policies_elements_resource.html and the operator ArnLike of
# reference_policies_elements_condition_operators.html: six parts, each by itself; the last may hold colons.
@pytest.mark.parametrize(
    ("arn", "pattern", "matches"),
    [
        (ROLE, ROLE, True),
        (ROLE, "arn:aws:iam::111122223333:role/path/*", True),
        (ROLE, "arn:aws:iam::*:role/*", True),
        (ROLE, "arn:aws:iam::*:role/nam?", False),
        (ROLE, "arn:aws:iam::*:role/path/nam?", True),
        (ROLE, "arn:aws:iam::11112222333:role/path/name", False),
        ("arn:aws:iam::111122223333:role/name", "arn:aws:iam::*:role/path/*", False),
        ("arn:aws:lambda:us-east-1:111122223333:function:a-b", "arn:aws:lambda:*:*:function:*-b", True),
        ("arn:aws:lambda:us-east-1:111122223333:function:a-b:1", "arn:aws:lambda:*:*:function:*-b", False),
        ("arn:aws:lambda:us-east-1:111122223333:function:a-b", "arn:aws:lambda:*:function:*-b", False),
        ("arn:aws:lambda:us-east-1:111122223333:function:a-b", "arn:aws:*:function:*-b", False),
        ("arn:aws:logs:us-east-1:1:log-group:/aws/lambda/x:*", "arn:aws:logs:*:*:log-group:/aws/lambda/*", True),
        ("arn:aws:apigateway:us-east-1::/apis/a/routes/b", "arn:aws:apigateway:*::/apis/*", True),
        ("arn:aws:s3:::bucket/[k]", "arn:aws:s3:::bucket/[k]", True),
        ("*", "arn:aws:iam::*:role/*", False),
        ("*", "*", True),
    ],
)
def test_resources(arn: str, pattern: str, matches: bool) -> None:
    assert arn_like(arn, pattern) is matches


# reference_policies_elements_condition_operators.html, reference_policies_condition-logic-multiple-context-keys-or-
# values.html and reference_policies_condition-single-vs-multi-valued-context-keys.html
@pytest.mark.parametrize(
    ("condition", "context", "matches"),
    [
        # Several values: any of them. Several keys, several operators: all of them.
        ({"StringEquals": {"a:b": "x"}}, {"a_b": "x"}, True),
        ({"StringEquals": {"a:b": "x"}}, {"A_B": "x"}, True),
        ({"StringEquals": {"a:b": "x"}}, {"a_b": "X"}, False),
        ({"StringEquals": {"a:b": "x*"}}, {"a_b": "xy"}, False),
        ({"StringEquals": {"a:b": "x"}}, {}, False),
        ({"StringEquals": {"a:b": ["y", "x"]}}, {"a_b": "x"}, True),
        ({"StringEquals": {"a:b": "x", "a:c": "y"}}, {"a_b": "x"}, False),
        ({"StringEquals": {"a:b": "x"}, "Null": {"a:c": "true"}}, {"a_b": "x", "a_c": "y"}, False),
        ({"StringEqualsIfExists": {"a:b": "x"}}, {}, True),
        ({"StringEqualsIfExists": {"a:b": "x"}}, {"a_b": "y"}, False),
        # Negated: none of the values, and a missing key is none of them.
        ({"StringNotEquals": {"a:b": "x"}}, {"a_b": "y"}, True),
        ({"StringNotEquals": {"a:b": ["x", "y"]}}, {"a_b": "y"}, False),
        ({"StringNotEquals": {"a:b": "x"}}, {}, True),
        ({"StringLike": {"a:b": "x*"}}, {"a_b": "xyz"}, True),
        ({"StringLike": {"a:b": "x?"}}, {"a_b": "xyz"}, False),
        ({"ArnLike": {"a:b": "arn:aws:iam::*:policy/p"}}, {"a_b": "arn:aws:iam::1:policy/p"}, True),
        ({"ArnLike": {"a:b": "arn:aws:iam::*:policy/p"}}, {"a_b": "arn:aws:iam::1:policy/path/p"}, False),
        ({"ArnLike": {"a:b": "arn:aws:iam::*:policy/p"}}, {}, False),
        # Null: "true" for a missing key, "false" for one that is there.
        ({"Null": {"a:b": "true"}}, {}, True),
        ({"Null": {"a:b": "true"}}, {"a_b": "x"}, False),
        ({"Null": {"a:b": "false"}}, {"a_b": "x"}, True),
        ({"Null": {"a:b": "false"}}, {}, False),
        # Keys of many values. ForAllValues holds for a missing key, too.
        ({"ForAllValues:StringEquals": {"a:b": ["x", "y"]}}, {"a_b": ["x"]}, True),
        ({"ForAllValues:StringEquals": {"a:b": ["x", "y"]}}, {"a_b": ["x", "z"]}, False),
        ({"ForAllValues:StringEquals": {"a:b": "x"}}, {}, True),
        ({"ForAnyValue:StringEquals": {"a:b": "x"}}, {"a_b": ["x", "z"]}, True),
        ({"ForAnyValue:StringEquals": {"a:b": "x"}}, {}, False),
        # Variables are told in reference_policies_variables.html.
        ({"StringEquals": {"a:b": "${a:c}"}}, {"a_b": "x", "a_c": "x"}, True),
        ({"StringNotEquals": {"aws:ResourceTag/t": "${aws:PrincipalTag/t}"}},
         {"aws_ResourceTag__t": "x", "aws_PrincipalTag__t": "y"}, True),
        ({"StringEquals": {"a:b": "${a:c}"}}, {"a_b": "x"}, False),
        ({"StringNotEquals": {"a:b": "${a:c}"}}, {"a_b": "x"}, False),
    ],
)  # fmt: skip
def test_conditions(condition: dict[str, Any], context: dict[str, Any], matches: bool) -> None:
    assert under(condition, **context) == (ALLOWED if matches else IMPLICIT_DENY)


def test_a_pattern_is_no_regular_expression() -> None:
    assert like("a.b", "a.b")
    assert not like("axb", "a.b")
    assert like("a\nb", "a*")


@pytest.mark.parametrize(
    "statement", [{"NotAction": "s3:*"}, {"Condition": {"DateLessThan": {"aws:CurrentTime": "2026-01-01"}}}]
)
def test_what_is_not_known_is_an_error(statement: dict[str, Any]) -> None:
    with pytest.raises((AssertionError, KeyError)):
        decide(Request("iam:GetRole", ROLE, {"aws:CurrentTime": "2025-01-01"}), [policy(statement)])
