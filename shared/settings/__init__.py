"""The settings: environment, TOML file, files with secrets. Read once at start; a misspelt name is an error."""

from shared.settings.models import KafkaSettings, Settings, SharedSettings
from shared.settings.page import describe_settings
from shared.settings.reading import load_settings

__all__ = ["KafkaSettings", "Settings", "SharedSettings", "describe_settings", "load_settings"]
