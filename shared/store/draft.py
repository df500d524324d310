"""Drafts a service's next migration: `python -m shared.store.draft services.verdict.tables verdict "what changes"`."""

import asyncio
import importlib
import re
import sys
import tempfile
from pathlib import Path
from typing import Any, Literal

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.autogenerate.api import AutogenContext
from alembic.migration import MigrationContext
from alembic.operations.ops import UpgradeOps
from sqlalchemy import Connection, MetaData

from shared.store.columns import Json, Utc
from shared.store.engine import open_store
from shared.store.migrate import MIGRATIONS, head, migrate

_TEMPLATE = '''"""{message}."""

import sqlalchemy as sa
from alembic import op

from shared.store.columns import Json, Utc

revision = "{revision}"
down_revision = {previous!r}


def upgrade() -> None:
    """From `down_revision` to `revision`."""
    {body}
'''


async def draft(metadata: MetaData, service: str, message: str) -> Path:
    """Writes the migration from what the files of the service's folder make to `metadata`. Read it before use."""
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(f"sqlite://{folder}", service)
        try:
            previous = _head(service)
            if previous:
                await migrate(store, service)
            async with store.write() as connection:
                body = await connection.run_sync(_body, metadata)
        finally:
            await store.close()
    number = f"{int(previous or 0) + 1:04}"
    file = MIGRATIONS / service / f"m{number}_{'_'.join(re.findall('[a-z0-9]+', message.lower())[:5])}.py"
    file.parent.mkdir(exist_ok=True)
    (file.parent / "__init__.py").touch()
    file.write_text(_TEMPLATE.format(message=message, revision=number, previous=previous, body=body))
    return file


def _head(service: str) -> str | None:
    try:
        return head(service)
    except ValueError:
        return None


def _body(connection: Connection, metadata: MetaData) -> str:
    context = MigrationContext.configure(connection)
    upgrade = produce_migrations(context, metadata).upgrade_ops
    code = render_python_code(upgrade or UpgradeOps([]), render_item=_own_types)
    return "\n".join(line for line in code.splitlines() if "###" not in line).strip()


def _own_types(kind: str, item: Any, _context: AutogenContext) -> str | Literal[False]:
    if kind == "type" and isinstance(item, Utc):
        return "Utc"
    return "Json" if kind == "type" and item is Json else False


if __name__ == "__main__":
    module, name, what = sys.argv[1:4]
    sys.stdout.write(f"{asyncio.run(draft(importlib.import_module(module).metadata, name, what))}\n")
