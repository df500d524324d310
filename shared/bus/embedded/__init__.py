"""The bus of one machine: a durable log in one SQLite file, shared by several processes.

`bus` keeps the port, `subscription` is a member of a group, `log` and `groups` are the SQL,
`database` is the thread that it runs on.
"""

from shared.bus.embedded.bus import EmbeddedBus

__all__ = ["EmbeddedBus"]
