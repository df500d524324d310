"""Where settings come from, which wins, and what a misspelt one says."""

from pathlib import Path

import pytest
from pydantic import BaseModel, Field, SecretStr

from shared.errors import ConfigurationError
from shared.settings import SharedSettings, describe_settings, load_settings


class ParlourSettings(BaseModel):
    """A service's settings, as each service declares them."""

    chairs: int = Field(4, ge=1, description="how many may sit")
    safe_code: SecretStr | None = Field(None, description="opens the safe")


@pytest.fixture
def toml(tmp_path: Path) -> Path:
    return tmp_path / "clearframe.toml"


def test_defaults_lie_in_the_data_folder(tmp_path: Path) -> None:
    settings = load_settings(ParlourSettings, overrides={"data": tmp_path})
    assert settings.shared.bus_url == f"embedded://{tmp_path}/bus.sqlite"
    assert settings.shared.store_url == f"sqlite://{tmp_path}/store"
    assert settings.shared.blobs_url == f"file://{tmp_path}/blobs"
    assert settings.of(ParlourSettings) == ParlourSettings()


def test_the_command_line_wins_over_the_environment_over_the_file(monkeypatch: pytest.MonkeyPatch, toml: Path) -> None:
    toml.write_text('log_level = "error"\nlog_format = "json"\ntopic_prefix = "a."\n[parlour]\nchairs = 7\n')
    monkeypatch.setenv("CLEARFRAME_LOG_FORMAT", "console")
    monkeypatch.setenv("CLEARFRAME_TOPIC_PREFIX", "b.")
    settings = load_settings(ParlourSettings, config=toml, overrides={"topic_prefix": "c."})
    shared = settings.shared
    assert (shared.log_level, shared.log_format, shared.topic_prefix) == ("error", "console", "c.")
    assert settings.of(ParlourSettings).chairs == 7


def test_an_override_of_one_name_leaves_its_neighbours(monkeypatch: pytest.MonkeyPatch, toml: Path) -> None:
    toml.write_text('[kafka]\nusername = "ann"\n')
    monkeypatch.setenv("CLEARFRAME_KAFKA__SECURITY_PROTOCOL", "SASL_SSL")
    kafka = load_settings(config=toml).shared.kafka
    assert (kafka.username, kafka.security_protocol) == ("ann", "SASL_SSL")


def test_the_file_may_be_named_by_the_environment(monkeypatch: pytest.MonkeyPatch, toml: Path) -> None:
    toml.write_text("[parlour]\nchairs = 9\n")
    monkeypatch.setenv("CLEARFRAME_CONFIG", str(toml))
    assert load_settings(ParlourSettings).of(ParlourSettings).chairs == 9


def test_secrets_come_from_files_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "code").write_text("1234\n")
    (tmp_path / "store").write_text("postgresql://ann:pw@host/name\n")
    monkeypatch.setenv("CLEARFRAME_PARLOUR__SAFE_CODE_FILE", str(tmp_path / "code"))
    monkeypatch.setenv("CLEARFRAME_STORE_FILE", str(tmp_path / "store"))
    settings = load_settings(ParlourSettings)
    code = settings.of(ParlourSettings).safe_code
    assert code is not None
    assert code.get_secret_value() == "1234"
    assert settings.shared.store_url == "postgresql://ann:pw@host/name"
    assert "pw" not in repr(settings)


def test_every_fault_is_told_at_once(monkeypatch: pytest.MonkeyPatch, toml: Path) -> None:
    toml.write_text('log_levl = "debug"\n[parlour]\nchair = 3\n[attic]\nspiders = 8\n')
    monkeypatch.setenv("CLEARFRAME_PARLOR__CHAIRS", "3")
    monkeypatch.setenv("CLEARFRAME_PARLOUR__CHAIRS", "many")
    monkeypatch.setenv("CLEARFRAME_STORE_FILE", "/nowhere/at/all")
    with pytest.raises(ConfigurationError) as caught:
        load_settings(ParlourSettings, config=toml)
    assert str(caught.value).splitlines() == [
        "CLEARFRAME_PARLOR__CHAIRS: there is no such setting; did you mean CLEARFRAME_PARLOUR__CHAIRS?",
        f"{toml}: log_levl: there is no such setting; did you mean log_level?",
        f"{toml}: parlour.chair: there is no such setting; did you mean parlour.chairs?",
        f"{toml}: attic: there is no such setting; docs/settings.md lists all",
        "CLEARFRAME_STORE_FILE: cannot be read: [Errno 2] No such file or directory: '/nowhere/at/all'",
        "CLEARFRAME_PARLOUR__CHAIRS: input should be a valid integer, unable to parse string as an integer",
    ]


@pytest.mark.parametrize("name", ["CLEARFRAME_URL", "CLEARFRAME_KEY", "CLEARFRAME_TEST_KAFKA"])
def test_what_the_command_line_and_tests_read_is_no_setting(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "x")
    assert load_settings().shared == SharedSettings()


def test_an_unreadable_file_says_where_and_why(toml: Path) -> None:
    toml.write_text("chairs = = 3")
    with pytest.raises(ConfigurationError, match=rf"{toml}: cannot be read as TOML: .*line 1"):
        load_settings(config=toml)


def test_the_page_lists_every_setting_with_default_and_meaning() -> None:
    page = describe_settings([ParlourSettings])
    assert "| `CLEARFRAME_PARLOUR__CHAIRS` | `parlour.chairs` | `4` | how many may sit |" in page
    assert "| `CLEARFRAME_PARLOUR__SAFE_CODE` | `parlour.safe_code` | none | opens the safe (secret) |" in page
    for name, field in SharedSettings.model_fields.items():
        if name != "kafka":
            assert f"`CLEARFRAME_{name.upper()}`" in page
            assert field.description
