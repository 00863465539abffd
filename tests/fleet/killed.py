"""A process that resets a class, and kills itself once so many AWS calls were answered: ROSTER HOME NUMBER."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.httpsession import URLLib3Session

from labkit.fleet.fleet import Fleet
from labkit.settings import Settings
from tests.fleet.unseen import unseen

send_really = URLLib3Session.send


def main(roster: str, home: str, calls: str) -> None:
    left = int(calls)

    def send(session: URLLib3Session, request: AWSPreparedRequest) -> AWSResponse:
        nonlocal left
        answer = send_really(session, request)
        left -= 1
        if left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    URLLib3Session.send = send
    fleet = Fleet(Path(roster), Settings("embedded", "jwt-lab", Path(home), "python3.13"), display=unseen)
    fleet.reset(len(fleet.roster.accounts))


if __name__ == "__main__":
    main(*sys.argv[1:])
