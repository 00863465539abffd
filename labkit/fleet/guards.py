"""The guards that keep a reset out of the wrong accounts. What cannot be told speaks against an account."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from botocore.exceptions import ClientError

from labkit.aws import error_code, error_message, every
from labkit.errors import LabError, UsageError
from labkit.target.target import Target

# Words of an account's alias that say it is not for a class.
PRODUCTION = re.compile(r"prod|(?<![a-z])(live|prd)(?![a-z])")

PROTECTED_FILE = "protected-accounts.txt"


@dataclass(frozen=True)
class Guards:
    """Accounts that a reset must not touch, and management accounts that the instructor named a second time."""

    protected: Collection[str] = ()
    named_again: Collection[str] = ()


def protected_accounts(home: Path, more: Iterable[str] = ()) -> frozenset[str]:
    """The protect list: the ids in `<LABKIT_HOME>/protected-accounts.txt`, one a line, and those given.

    Raises:
        UsageError: something in it is not an account id. A list that is wrong protects nobody.
    """
    try:
        lines = (home / PROTECTED_FILE).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        lines = []
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"The protect list {home / PROTECTED_FILE} cannot be read.", "Mend it first.") from error
    listed = [line.split("#")[0].strip() for line in lines]
    return account_ids(filter(None, listed)) | account_ids(more)


def account_ids(values: Iterable[str]) -> frozenset[str]:
    """The value or values, if each is an account id; UsageError if not."""
    several = [values] if isinstance(values, str) else [*values]
    for value in several:
        if not isinstance(value, str) or not re.fullmatch(r"[0-9]{12}", value):
            raise UsageError(f"{value!r} is not an account id.", "It is a text of 12 digits, and nothing else.")
    return frozenset(several)


def guard(target: Target, guards: Guards) -> None:
    """Let a reset go on in an account only if nothing speaks against it.

    Raises:
        LabError: the account is protected, its alias looks like production, or it is an organisation's management
            account that was not named a second time.
    """
    refuse_protected(target.place.account, guards)
    alias = _alias(target)
    if PRODUCTION.search(alias):
        raise LabError(
            f"Account {target.place.account} is called {alias}, which looks like production.",
            "If it is for a class, give it another alias. A single lab in it goes with: LABKIT_NAME=NAME labkit down",
        )
    if target.place.account not in guards.named_again and _manages(target):
        raise LabError(
            f"Account {target.place.account} is its organisation's management account.",
            f"Use another account. If you do mean this one, name it again: --management {target.place.account}",
        )


def refuse_protected(account: str, guards: Guards) -> None:
    """Raise LabError if an account is on the protect list. Asks AWS nothing."""
    if account in guards.protected:
        raise LabError(f"Account {account} is on the protect list.", "Take its row out of the roster.")


def _alias(target: Target) -> str:
    try:
        return next(iter(every(target.client("iam"), "list_account_aliases", "AccountAliases")), "")
    except ClientError as error:
        raise LabError(
            f"The alias of account {target.place.account} cannot be read, so it may be production: "
            f"{error_message(error)}",
            "Permit iam:ListAccountAliases to your role there.",
        ) from error


def _manages(target: Target) -> bool:
    """Whether the account is its organisation's management account. The embedded cloud has no organisations."""
    if target.place.kind == "embedded":
        return False
    try:
        organization = target.client("organizations").describe_organization()["Organization"]
    except ClientError as error:
        if error_code(error) == "AWSOrganizationsNotInUseException":
            return False
        raise LabError(
            f"Whether account {target.place.account} is its organisation's management account cannot be told: "
            f"{error_message(error)}",
            f"Permit organizations:DescribeOrganization there, or name it again: --management {target.place.account}",
        ) from error
    return bool(organization["MasterAccountId"] == target.place.account)
