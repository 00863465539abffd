"""The shell variables that lead other tools to a lab: where its place is, and what its ids are."""

from __future__ import annotations

from collections.abc import Mapping

from labkit.errors import LabError
from labkit.target.names import FUNCTIONS
from labkit.target.target import Target

# A region is part of so many words that naming it would hide more than it tells.
_NOT_IN_COMMANDS = frozenset(
    {
        "AWS_ENDPOINT_URL",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_PAGER",
        "API_URL",
        "ISSUER",
        "JWKS_URL",
    }
)


class Variables(dict[str, str]):
    """Variables by name. One that is not there, since its resource is not or since there is none such, is told so."""

    def __missing__(self, name: str) -> str:
        raise LabError(
            f"The lab has no {name} now, but {', '.join(self)}.", "More of them come with what is built: labkit up"
        )


def environment(target: Target, ids: Mapping[str, str]) -> dict[str, str]:
    """What `labkit env` exports, by variable.

    Args:
        target: the lab's place.
        ids: what AWS made up for the lab: `user_pool_id` and the like.
    """
    place, pool = target.place, ids.get("user_pool_id")
    found = {
        **place.credentials,
        "AWS_REGION": place.region,
        "AWS_DEFAULT_REGION": place.region,
        "AWS_PAGER": "",  # version 2 of the AWS CLI opens one, and it would eat the lines pasted next
        "ACCOUNT_ID": place.account,
        # Before there is a domain, the prefix that it would get: the line that creates it names it.
        **({"DOMAIN": target.names.domain_prefix(pool)} if pool else {}),
        **{key.upper(): value for key, value in ids.items() if key not in FUNCTIONS},
        **({"JWKS_URL": place.keys_url(ids["issuer"])} if "issuer" in ids else {}),
    }
    return Variables(found)


def variables(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that a printed command names, by the value that each stands for."""
    return {value: name for name, value in environment.items() if name not in _NOT_IN_COMMANDS}
