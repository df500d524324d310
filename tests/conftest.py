"""Fixtures of every suite."""

pytest_plugins = ["tests.servers.fixtures", "tests.installations"]
