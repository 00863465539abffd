"""The rules of the embedded cloud: each a small function, recorded in `registry` with what it knows of AWS.

Importing this package records them all.
"""

from labkit.cloud.rules import (  # noqa: F401 - importing a module records its rules
    data_plane,
    deployments,
    gaps,
    http_api,
    lambda_,
    lists,
    logs,
    pages,
    sign_in,
    strangers,
    tidy,
    trigger,
    user_pools,
    weather,
)
