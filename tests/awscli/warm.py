"""The AWS CLI, imported once: each start of it is a copy of this process. `warm.py FOLDER` writes an `aws` there.

That `aws` is what a shell finds. It hands over its words, its variables and its standard streams, so that everything
but the imports is done anew, as the installed command would.
"""

from __future__ import annotations

import json
import os
import socket
import socketserver
import sys
from pathlib import Path

import awscli.clidriver

# Isolated and without site-packages: it starts in a few milliseconds.
COMMAND = """\
#!{python} -IS
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as warm:
    warm.connect({address!r})
    socket.send_fds(warm, [json.dumps([sys.argv, dict(os.environ)]).encode()], [0, 1, 2])
    sys.exit(int(warm.recv(16) or 255))
"""


# Where the AWS CLI's own data is, which importing it sets.
DATA_PATH = {"AWS_DATA_PATH": os.environ["AWS_DATA_PATH"]}


class Start(socketserver.BaseRequestHandler):
    """One start of the AWS CLI, in a process of its own."""

    request: socket.socket

    def handle(self) -> None:
        message, streams, *_ = socket.recv_fds(self.request, 1 << 20, 3)
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
        sys.argv, variables = json.loads(message)
        os.environ.clear()
        os.environ.update(variables | DATA_PATH)
        code = awscli.clidriver.main()
        sys.stdout.flush()
        self.request.sendall(str(code).encode())


class Server(socketserver.ForkingMixIn, socketserver.UnixStreamServer):
    """Starts as many at a time as are asked for."""


def main(folder: Path) -> None:
    """Write the command, say so, and serve it."""
    awscli.clidriver.create_clidriver()
    command, address = folder / "aws", str(folder / "warm")
    with Server(address, Start) as server:
        command.write_text(COMMAND.format(python=sys.executable, address=address))
        command.chmod(0o700)
        print("ready", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
