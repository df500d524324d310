"""How settings become a client's security options."""

from pathlib import Path

import pytest

from shared.bus.kafka.security import KafkaSecurity
from shared.errors import ConfigurationError


def test_plain_by_default() -> None:
    assert KafkaSecurity().options() == {"security_protocol": "PLAINTEXT"}


def test_a_password_over_tls() -> None:
    options = KafkaSecurity(tls=True, mechanism="SCRAM-SHA-512", username="u", password="p").options()
    assert options.pop("ssl_context") is not None
    assert options == {
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "u",
        "sasl_plain_password": "p",
    }


def test_the_password_stays_out_of_logs() -> None:
    assert "secret" not in repr(KafkaSecurity(mechanism="PLAIN", username="u", password="secret"))


@pytest.mark.parametrize(
    ("security", "complaint"),
    [
        (KafkaSecurity(mechanism="PLAIN", username="u"), "needs a username and a password"),
        (KafkaSecurity(ca_file=Path("ca.pem")), "TLS is off"),
        (KafkaSecurity(tls=True, certificate_file=Path("c.pem")), "needs both"),
        (KafkaSecurity(tls=True, ca_file=Path("missing.pem")), "cannot be read"),
    ],
)
def test_parts_that_do_not_fit_are_named(security: KafkaSecurity, complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        security.options()
