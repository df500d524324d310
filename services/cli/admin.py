"""`clearframe production`, `key`, `dead`: the settings of an installation, and messages that were given up."""

import json
from typing import Annotated

import typer
from rich.markup import escape

from services.cli import show
from services.cli.api import Api
from services.cli.app import app
from services.cli.session import Session

productions = typer.Typer(no_args_is_help=True, help="Productions: the tenants.")
keys = typer.Typer(no_args_is_help=True, help="API keys with scopes and productions.")
dead = typer.Typer(no_args_is_help=True, help="Messages that no consumer could use.")
app.add_typer(productions, name="production")
app.add_typer(keys, name="key")
app.add_typer(dead, name="dead")


@productions.command()
def create(
    context: typer.Context,
    slug: Annotated[str, typer.Argument(help="lower-case letters, digits, hyphens")],
    title: str | None = None,
    contact: Annotated[str | None, typer.Option(help="who is informed at the studio")] = None,
) -> None:
    """Makes a production, or changes one."""
    session: Session = context.obj
    body = {"title": title or slug, "contact": contact}
    with Api(session) as api:
        made = api.call("PUT", f"/v1/productions/{slug}", json={name: value for name, value in body.items() if value})
    _line(session, made, f"{made['slug']}  {made.get('title') or ''}")


@productions.command("list")
def list_productions(context: typer.Context) -> None:
    """Every production the key sees."""
    session: Session = context.obj
    with Api(session) as api:
        for item in api.items("/v1/productions"):
            _line(session, item, f"{item['slug']}  {item.get('title') or ''}")


@keys.command("create")
def create_key(
    context: typer.Context,
    name: str,
    scope: Annotated[list[str], typer.Option(help="upload, read, review, approve, operate, admin; may be repeated")],
    production: Annotated[list[str], typer.Option(help='a slug, or "*" for all; may be repeated')],
    person: Annotated[str | None, typer.Option(help="whose key it is; two keys of one person count as one")] = None,
    expires_at: Annotated[str | None, typer.Option(help="RFC 3339 time")] = None,
) -> None:
    """Makes a key and shows it, once."""
    session: Session = context.obj
    body = {
        "name": name,
        "person": person or name,
        "scopes": scope,
        "productions": production,
        "expires_at": expires_at,
    }
    with Api(session) as api:
        made = api.post("/v1/keys", {field: value for field, value in body.items() if value is not None})
    _line(session, made, f"{made['key']}  (shown once; id {made['id']})")


@keys.command("list")
def list_keys(context: typer.Context) -> None:
    """Every key, never its secret."""
    session: Session = context.obj
    with Api(session) as api:
        for item in api.items("/v1/keys"):
            _line(
                session,
                item,
                f"{item['id']}  {item['name']}  {' '.join(item['scopes'])}  {' '.join(item['productions'])}",
            )


@keys.command()
def revoke(context: typer.Context, key_id: str) -> None:
    """Ends a key everywhere within five seconds."""
    session: Session = context.obj
    with Api(session) as api:
        api.call("DELETE", f"/v1/keys/{key_id}")
    session.out.print(f"revoked {escape(key_id)}")


@dead.command("list")
def list_dead(context: typer.Context, topic: str | None = None) -> None:
    """What was given up, why and from where."""
    session: Session = context.obj
    with Api(session) as api:
        for item in api.items("/v1/dead-letters", topic=topic):
            _line(session, item, f"{item['id']}  {item['topic']}  {item['reason']}  {item.get('detail') or ''}")


@dead.command("show")
def show_dead(context: typer.Context, dead_id: str) -> None:
    """One message, whole."""
    session: Session = context.obj
    with Api(session) as api:
        session.out.print_json(json.dumps(found := api.get(f"/v1/dead-letters/{dead_id}")))
    if session.json:
        show.emit(found)


@dead.command("replay")
def replay_dead(context: typer.Context, dead_ids: list[str]) -> None:
    """Puts messages back on the topic they came from."""
    session: Session = context.obj
    with Api(session) as api:
        for dead_id in dead_ids:
            api.post(f"/v1/dead-letters/{dead_id}/replay")
            session.out.print(f"put back {escape(dead_id)}")


def _line(session: Session, item: dict[str, object], text: str) -> None:
    if session.json:
        show.emit(item)
    else:
        session.out.print(escape(text))
