"""What only the owner of an embedded cloud is told. Nothing on AWS is like it: no name of it is an AWS service's."""

from __future__ import annotations

import http
import json
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from labkit.cloud import http as loopback
from labkit.cloud.protocol import Cloud
from labkit.errors import LabError


def told(cloud: Cloud, name: str) -> Any:
    """Ask for what is PRIVATE, signed with the cloud's own credentials.

    Raises:
        LabError: the cloud does not tell it.
    """
    request = AWSRequest("GET", f"{cloud.endpoint_url}/_labkit/{name}")
    SigV4Auth(Credentials(cloud.access_key_id, cloud.secret_access_key), name, "us-east-1").add_auth(request)
    headers = {name: str(value) for name, value in request.headers.items()}
    try:
        status, body = loopback.get(cloud.port, f"/_labkit/{name}", headers)
        if status == http.HTTPStatus.OK:
            return json.loads(body)
    except (OSError, ValueError):
        pass
    what = name.replace("-", " ")
    raise LabError(f"The embedded cloud does not tell its {what}.", "Start it anew: labkit cloud stop")
