"""What a whole session shares, the notebooks' kernels included: kernels inherit this process's environment."""

import gc
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from labkit.text.terms import OUTPUTS, STABLE
from tests.private_home import private_home
from tests.scopes import Scopes, rank


def pytest_configure() -> None:
    """Hear Ctrl-C and a closed terminal again where this run was started in the background, deaf to both.

    What is ignored here would be ignored by every process that a test starts.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session: pytest.Session) -> Iterator[None]:
    """Run everything in one private LABKIT_HOME a worker; the notebooks run through it as one chain."""
    with private_home(keep_aws=_asked_for_aws(session.config)):
        return (yield)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scopes:
    """Keep together what shares a cloud or a lab, and begin with what takes longest."""
    config.option.loadscopereorder = False
    return Scopes(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    """Start a notebook's kernel so that its outputs can be compared with the committed ones."""
    with pytest.MonkeyPatch.context() as environment:
        if item.path.suffix == ".ipynb":
            environment.setenv(OUTPUTS, STABLE)
        return (yield)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Call a real AWS account only when asked to; where there are two workers, begin with what takes longest."""
    if not _asked_for_aws(config):
        for item in items:
            if item.get_closest_marker("aws"):
                item.add_marker(pytest.mark.skip(reason="runs against a real AWS account only with -m aws"))
    items.sort(key=lambda item: rank(item.nodeid))


def pytest_collection_finish() -> None:
    """Look for garbage no more among some thousand tests: they stay, and looking took about a tenth of the time."""
    gc.freeze()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Tell what a real account answered: a worker's own words are not seen."""
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        for told in (value for name, value in report.user_properties if name == "report"):
            terminalreporter.write_line(f"\n{told}")


def _asked_for_aws(config: pytest.Config) -> bool:
    return bool(config.getoption("markexpr") == "aws")
