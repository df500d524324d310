"""How settings become a client's security options."""

from pathlib import Path
from typing import Any

import pytest

from shared.bus.kafka.security import client_options
from shared.errors import ConfigurationError
from shared.settings.models import KafkaSettings


def test_plain_by_default() -> None:
    assert client_options(KafkaSettings()) == {"security_protocol": "PLAINTEXT"}


def test_a_password_over_tls() -> None:
    settings = KafkaSettings.model_validate({"security_protocol": "SASL_SSL", "username": "u", "password": "p"})
    options = client_options(settings)
    assert options.pop("ssl_context").check_hostname
    assert options == {
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "u",
        "sasl_plain_password": "p",
    }


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"security_protocol": "SASL_PLAINTEXT", "username": "u"}, "needs `username` and `password`"),
        ({"ca_file": Path("ca.pem")}, "not used"),
        ({"security_protocol": "SSL", "certificate_file": Path("c.pem")}, "needs both"),
        ({"security_protocol": "SSL", "ca_file": Path("missing.pem")}, "cannot be read"),
    ],
)
def test_parts_that_do_not_fit_are_named(settings: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        client_options(KafkaSettings.model_validate(settings))
