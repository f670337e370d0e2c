"""The embedded PostgreSQL: a server of our own in a folder, stopped when its last user leaves.

Only the programs come from a wheel. Starting, waiting, recovering, watching and stopping are done
here, with argument lists and never a shell:

- beside the data folder stand `NAME.lock` (who starts or stops), `NAME.users` (held by every
  process that uses the server), `NAME.server` (held by the server itself) and `NAME.log`; the
  system lets go of such a lock when its holder dies, however it dies;
- no process is signalled unless it is the one that was started here;
- the server listens on no network address, only on a socket in a folder that is its user's alone,
  and asks the system who connects (`peer`).

See docs/decisions/embedded-postgresql.md.
"""

from newsletter.adapters.embedded.server import EmbeddedServer, embedded_url, open_server, running
from newsletter.adapters.embedded.supervision import supervised

__all__ = ["EmbeddedServer", "embedded_url", "open_server", "running", "supervised"]
