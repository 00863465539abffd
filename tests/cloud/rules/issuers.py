"""A small issuer on this machine for tests: a discovery document, and the key `first` of `tests.signing`."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.signing import jwk


@contextmanager
def issuer(documents: dict[str, Any] | None = None) -> Iterator[str]:
    """Serve documents by their paths while the block runs; `ISSUER` in them stands for the issuer's URL."""
    served = documents or {
        "/.well-known/openid-configuration": {"issuer": "ISSUER", "jwks_uri": "ISSUER/keys"},
        "/keys": {"keys": [jwk("first")]},
    }

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = self.path in served
            self.send_response(200 if found else 404)
            self.end_headers()
            self.wfile.write(json.dumps(served.get(self.path)).replace("ISSUER", url).encode())

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield url
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
