"""May this user work on this data folder? Asked before anything is changed."""

import os
from pathlib import Path

from newsletter.adapters.embedded.accounts import Account, user_name
from newsletter.errors import DatabaseUnreachable


def check_owner(folder: Path, account: Account | None) -> None:
    """DatabaseUnreachable if the data are another user's; nothing is changed.

    An empty folder that belongs to the user of this process counts as theirs.
    """
    try:
        owner = folder.stat().st_uid
        empty = not any(folder.iterdir()) if owner == os.geteuid() else False
    except FileNotFoundError:
        return
    except OSError as error:
        raise _not_readable(folder, error) from error
    if (account and owner == account.uid) or empty:
        return
    raise DatabaseUnreachable(_sentence(folder, owner, account))


def _sentence(folder: Path, owner: int, account: Account | None) -> str:
    name, me = user_name(owner), user_name(os.geteuid())
    if os.geteuid() == 0 and account:
        remedy = f"run this as {name}, or give the data away: chown -R {account.name} '{folder}'"
    else:
        remedy = f"run this as {'root' if name == 'newsletter-postgres' else name}"
    return (
        f"the data folder {folder} belongs to {name}, and this process runs as {me}: "
        f"{remedy}, or name another folder in NEWSLETTER_VAR"
    )


def _not_readable(folder: Path, error: OSError) -> DatabaseUnreachable:
    me = user_name(os.geteuid())
    return DatabaseUnreachable(
        f"the data folder {folder} cannot be looked at by {me}: {error.strerror}; run this as its "
        "owner, or name another folder in NEWSLETTER_VAR"
    )
