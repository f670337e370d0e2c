"""A process that uses an embedded server: it runs the statements it reads, and leaves at the end.

Called as `python user.py FOLDER [SECONDS]`; each line on stdin is a statement, each answer one line
of JSON. The process becomes the user that EMBEDDED_TEST_USER names, if it does.
"""

import json
import os
import pwd
import sys
from pathlib import Path


def become(name: str) -> None:
    entry = pwd.getpwnam(name)
    os.setgroups([])
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)
    os.environ["HOME"] = "/nonexistent"


def main() -> None:
    sys.path.insert(0, str(Path(__file__).parents[3]))
    # Imported before the process becomes another user, who may not be able to read all this.
    from sqlalchemy import create_engine, make_url, text

    from newsletter.adapters.embedded import embedded_url
    from newsletter.errors import DatabaseUnreachable

    create_engine("postgresql+psycopg://").dispose()
    if name := os.environ.get("EMBEDDED_TEST_USER"):
        become(name)
    try:
        url = make_url(embedded_url(Path(sys.argv[1])))
    except DatabaseUnreachable as error:
        print(json.dumps({"error": str(error)}), flush=True)
        sys.exit(2)
    engine = create_engine(url.set(drivername="postgresql+psycopg"))
    print(json.dumps({"host": url.query["host"]}), flush=True)
    for line in sys.stdin:
        with engine.begin() as connection:
            answer = connection.execute(text(line))
            value = answer.scalar() if answer.returns_rows else None
        print(json.dumps(value, default=str), flush=True)  # once it is committed


main()
