"""The tables of all rules: whoever imports them from here has them complete."""

from labkit.cloud.rules import (  # noqa: F401 - importing a module records its rules
    authorizers,
    data_plane,
    deployments,
    gaps,
    http_api,
    lambda_,
    lists,
    logs,
    operations,
    pages,
    sign_in,
    strangers,
    tidy,
    trigger,
    user_pools,
    weather,
)
from labkit.cloud.rules.registry import AFTER, BEFORE, PATCHES, RULES

__all__ = ["AFTER", "BEFORE", "PATCHES", "RULES"]
