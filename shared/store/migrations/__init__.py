"""Migrations: a folder for each service, applied in the order of their numbers by `shared.store.migrate`.

To change a service's tables, edit its `tables.py`, then let `python -m shared.store.draft` write the next file:
`... shared.store.draft services.verdict.tables verdict "what changes"` makes `verdict/m0002_what_changes.py`
(for the directory: `shared.store.directory_tables directory`). Read what it wrote, run `ruff format`, commit.
The number in the file's name is its revision. A released migration is never edited. A contract test compares what the
migrations make with the tables, on SQLite and PostgreSQL.
"""
