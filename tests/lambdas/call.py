"""Call the handler of the file named first with the event on standard input; write its answer to the file named second.

Standard output is left to the handler: it is the function's log.
"""

import json
import runpy
import sys
from pathlib import Path

source, answer = sys.argv[1:]
handler = runpy.run_path(source)["lambda_handler"]
Path(answer).write_text(json.dumps(handler(json.load(sys.stdin), None)), encoding="utf-8")
