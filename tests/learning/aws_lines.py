"""AWS CLI lines as the calls that they stand for, made by a lab's own clients: fast, and without the AWS CLI."""

from __future__ import annotations

import json
import re
import shlex
from typing import Any

from botocore import xform_name

from labkit.lab import Lab


def run_lines(lab: Lab, text: str) -> None:
    """Make the calls of some lines, with what `labkit env` exports in the place of each variable."""
    variables = lab.environment()
    filled = re.sub(r"\$([A-Z_]+)", lambda found: variables[found[1]], text.replace("\\\n", " "))
    for line in filled.splitlines():
        aws, service, operation, *words = shlex.split(line)
        assert aws == "aws"
        client, method = lab.target.client(service), operation.replace("-", "_")
        shape = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[method]).input_shape
        members = {f"--{xform_name(name, '-')}": (name, member) for name, member in shape.members.items()}
        given: dict[str, Any] = {}
        for option, values in _options(words):
            name, member = members[option]
            given[name] = _value(member, values)
        getattr(client, method)(**given)


def _options(words: list[str]) -> list[tuple[str, list[str]]]:
    options: list[tuple[str, list[str]]] = []
    for word in words:
        if word.startswith("--"):
            options.append((word, []))
        else:
            options[-1][1].append(word)
    return options


def _value(member: Any, values: list[str]) -> Any:
    if member.type_name == "boolean":
        return values in ([], ["true"])
    if values[0].startswith(("{", "[")):
        return json.loads(values[0])
    if member.type_name == "list":
        return values
    if member.type_name in ("structure", "map"):
        parts = dict(part.split("=", 1) for part in values[0].split(","))
        inside = getattr(member, "members", {})
        return {key: _value(inside[key], [part]) if key in inside else part for key, part in parts.items()}
    return values[0]
