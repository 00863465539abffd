"""Which of the long tests are asked for whole, as `.ci/run` does; `make test` alone takes a slice, always the same."""

import os

ALL_FAULTS = os.environ.get("LABKIT_ALL_FAULTS") == "1"
ALL_CHAPTERS = os.environ.get("LABKIT_ALL_CHAPTERS") == "1"
