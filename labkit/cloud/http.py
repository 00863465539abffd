"""One HTTP GET to a cloud on this machine, which no proxy setting can lead elsewhere."""

from __future__ import annotations

from collections.abc import Mapping


def get(port: int, path: str, headers: Mapping[str, str] | None = None, timeout: float = 5) -> tuple[int, bytes]:
    """Fetch a path from a port of 127.0.0.1; the answer's status and body.

    Args:
        port: the port of the cloud.
        path: the path with its query, `/_labkit/health` for example.
        headers: further request headers.
        timeout: seconds to wait for the connection and for each read.

    Raises:
        OSError: nothing listens there, or it does not answer in time, or not in HTTP.
    """
    from http.client import HTTPConnection, HTTPException  # noqa: PLC0415 - most commands find no cloud to ask

    connection = HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request("GET", path, headers=dict(headers or {}))
        answer = connection.getresponse()
        return answer.status, answer.read()
    except HTTPException as error:
        raise ConnectionError(error) from error
    finally:
        connection.close()
