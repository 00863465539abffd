"""The runtimes that the lab's functions come in: one row a runtime."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Runtime:
    """One of Lambda's runtimes.

    `file_name` and `handler` are those that the console gives a new function; the file is packed alone into a zip.
    `program` runs it on this machine, none if that is the Python that labkit runs in. AWS supports it until
    `supported_until`: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
    The code is in `language`, where `comment` begins a comment.
    """

    name: str
    file_name: str
    handler: str
    supported_until: date
    program: str = ""
    language: str = "python"
    comment: str = "#"


RUNTIMES = {
    runtime.name: runtime
    for runtime in (
        Runtime("python3.13", "lambda_function.py", "lambda_function.lambda_handler", date(2029, 6, 30)),
        Runtime("nodejs22.x", "index.mjs", "index.handler", date(2027, 4, 30), "node", "javascript", "//"),
    )
}
