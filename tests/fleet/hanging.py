"""A preflight in which the calls to one account never end: ROSTER HOME ENDPOINT. Says when one hangs."""

from __future__ import annotations

import signal
import sys
import threading

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.httpsession import URLLib3Session

from labkit.cli import main as cli

send_really = URLLib3Session.send


def main(endpoint: str) -> None:
    def send(session: URLLib3Session, request: AWSPreparedRequest) -> AWSResponse:
        if request.url.startswith(endpoint):
            print("hanging", flush=True)
            threading.Event().wait()
        return send_really(session, request)

    URLLib3Session.send = send
    signal.signal(signal.SIGINT, signal.default_int_handler)  # also where the tests run in the background
    cli.main()


if __name__ == "__main__":
    main(sys.argv.pop())
