"""A class whose calls to one account never end: VERB... HOME ENDPOINT WHERE. Says when one hangs.

WHERE is `anywhere`, or `beside others`: only calls that are made side by side hang.
"""

from __future__ import annotations

import os
import signal
import sys
import threading

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.httpsession import URLLib3Session

from labkit.cli import main as cli

send_really = URLLib3Session.send


def main(endpoint: str, where: str) -> None:
    def send(session: URLLib3Session, request: AWSPreparedRequest) -> AWSResponse:
        beside_others = threading.current_thread().name != "labkit-account"
        if request.url.startswith(endpoint) and (where == "anywhere" or beside_others):
            os.write(1, b"hanging\n")  # in one piece, whoever else hangs
            threading.Event().wait()
        return send_really(session, request)

    URLLib3Session.send = send
    signal.signal(signal.SIGINT, signal.default_int_handler)  # also where the tests run in the background
    cli.main()


if __name__ == "__main__":
    where, endpoint = sys.argv.pop(), sys.argv.pop()
    main(endpoint, where)
