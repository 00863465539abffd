"""What a whole session shares, the notebooks' kernels included: kernels inherit this process's environment."""

from collections.abc import Iterator

import pytest

from tests.private_home import private_home


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session: pytest.Session) -> Iterator[None]:
    """Run everything in one private LABKIT_HOME; the notebooks run through it as one chain."""
    with private_home(keep_aws=_asked_for_aws(session.config)):
        return (yield)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Call a real AWS account only when asked to."""
    if not _asked_for_aws(config):
        for item in items:
            if item.get_closest_marker("aws"):
                item.add_marker(pytest.mark.skip(reason="runs against a real AWS account only with -m aws"))


def _asked_for_aws(config: pytest.Config) -> bool:
    return bool(config.getoption("markexpr") == "aws")
