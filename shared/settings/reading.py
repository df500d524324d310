"""Reads the settings: command line over environment over secret files over the TOML file over defaults."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, ValidationError, create_model
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings.exceptions import SettingsError

from shared.errors import ConfigurationError
from shared.settings import names
from shared.settings.models import Settings, SharedSettings, section_name


def load_settings(
    *kinds: type[BaseModel], config: Path | None = None, overrides: Mapping[str, Any] | None = None
) -> Settings:
    """The shared settings and those of each class, say `IngestSettings`. Pass the classes of all services: a variable
    of one that is missing counts as misspelt. `overrides` come from the command line and are nested like the file.
    Raises `ConfigurationError` with every fault at once.
    """
    root = _root(kinds)
    known = dict(names.fields(root))
    file = config or (Path(os.environ["CLEARFRAME_CONFIG"]) if os.environ.get("CLEARFRAME_CONFIG") else None)
    table = _toml(file) if file else {}
    faults = names.unknown_variables(known, os.environ) + [
        f"{file}: {fault}" for fault in names.unknown_names(known, table)
    ]
    found, more = _read(root, [dict(overrides or {}), _secrets(known, faults), table])
    if found is None or faults:
        raise ConfigurationError("\n".join(faults + more))
    shared = SharedSettings.model_construct(**{name: getattr(found, name) for name in SharedSettings.model_fields})
    return Settings(shared, tuple(getattr(found, section_name(kind)) for kind in kinds))


def _root(kinds: tuple[type[BaseModel], ...]) -> type[BaseModel]:
    sections: dict[str, Any] = {section_name(kind): (kind, Field(default_factory=kind)) for kind in kinds}
    return create_model("Root", __base__=SharedSettings, **sections)


def _read(root: type[BaseModel], tables: list[dict[str, Any]]) -> tuple[BaseModel | None, list[str]]:
    over, secret, file = tables

    class Read(BaseSettings, root):  # type: ignore[valid-type, misc]  # the base depends on the services
        model_config = SettingsConfigDict(
            env_prefix=names.PREFIX, env_nested_delimiter=names.NESTED, env_ignore_empty=True, extra="ignore"
        )

        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return (
                InitSettingsSource(settings_cls, over),
                env_settings,
                InitSettingsSource(settings_cls, secret),
                InitSettingsSource(settings_cls, file),
            )

    try:
        return Read(), []
    except ValidationError as error:
        return None, [_fault(detail["loc"], detail["msg"]) for detail in error.errors(include_input=False)]
    except SettingsError as error:
        return None, [str(error)]


def _fault(location: tuple[int | str, ...], message: str) -> str:
    return f"{names.variable(tuple(map(str, location)))}: {message[:1].lower()}{message[1:]}"


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"{path}: cannot be read as TOML: {error}") from error


def _secrets(known: Mapping[names.Path, Any], faults: list[str]) -> dict[str, Any]:
    """The contents of the files that `CLEARFRAME_…_FILE` name, nested like the TOML file."""
    found: dict[str, Any] = {}
    for name, path in names.secret_files(known).items():
        if not os.environ.get(name):
            continue
        try:
            secret = Path(os.environ[name]).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            faults.append(f"{name}: cannot be read: {error}")
            continue
        table = found
        for part in path[:-1]:
            table = table.setdefault(part, {})
        table[path[-1]] = secret
    return found
