"""/docs: the OpenAPI document as one plain page. No scripts, no foreign servers, so the strict policy holds."""

import html
from typing import Any

from fastapi.responses import HTMLResponse

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "code{background:#8882;padding:.1em .3em;border-radius:.2em}"
    "summary{cursor:pointer;padding:.4em 0}td{padding:.1em 1em .1em 0;vertical-align:top}"
)
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"


def page(document: dict[str, Any]) -> HTMLResponse:
    """Every operation with its parameters and answers."""
    info = document["info"]
    operations = "".join(
        _operation(method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    )
    body = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{_text(info["title"])} API</title>'
        f"<style>{_STYLE}</style><h1>{_text(info['title'])} API {_text(info['version'])}</h1>"
        f'<p>{_text(info.get("description", ""))} Machines read <a href="/openapi.json">/openapi.json</a>.</p>'
        f"{operations}</html>"
    )
    return HTMLResponse(body, headers={"Content-Security-Policy": _POLICY})


def _operation(method: str, path: str, operation: dict[str, Any]) -> str:
    parameters = "".join(
        f"<tr><td><code>{_text(item['name'])}</code></td><td>{_text(item['in'])}</td>"
        f"<td>{_text(item.get('description', ''))}</td></tr>"
        for item in operation.get("parameters", [])
    )
    answers = "".join(
        f"<tr><td><code>{_text(status)}</code></td><td>{_text(answer['description'])}</td></tr>"
        for status, answer in operation["responses"].items()
    )
    return (
        f"<details><summary><code>{_text(method.upper())} {_text(path)}</code> "
        f"{_text(operation.get('summary', ''))}</summary><p>{_text(operation.get('description', ''))}</p>"
        f"<table>{parameters}</table><table>{answers}</table></details>"
    )


def _text(value: object) -> str:
    return html.escape(str(value))
