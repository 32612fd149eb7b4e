"""How a service gets into Kafka: contradictions and unusable files stop the start, with words that help."""

from pathlib import Path

import pytest

from services.region.settings import RegionSettings
from shared.errors import OperatorError
from shared.settings import load


def settings(*flags: str) -> RegionSettings:
    return load(RegionSettings, ["--feed", "kafka", "--kafka-bootstrap", "h:1", *flags], program="meridian region")


def test_without_settings_kafka_is_spoken_to_in_the_clear() -> None:
    access = settings().kafka_access()
    assert (access.protocol, access.trust, access.user, access.password) == ("PLAINTEXT", None, "", "")


def test_a_password_comes_from_its_file_and_is_not_shown(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("open-sesame\n")
    flags = ["--kafka-user", "meridian", "--kafka-password-file", str(secret)]
    access = settings("--kafka-security-protocol", "SASL_SSL", *flags).kafka_access()
    assert (access.user, access.password, access.mechanism) == ("meridian", "open-sesame", "PLAIN")
    assert access.trust is not None
    assert "sesame" not in repr(access)


@pytest.mark.parametrize(
    ("flags", "why"),
    [
        (["--kafka-security-protocol", "SASL_SSL"], "SASL_SSL needs a user and a password"),
        (["--kafka-security-protocol", "SASL_PLAINTEXT", "--kafka-user", "u"], "needs a user and a password"),
        (["--kafka-user", "u", "--kafka-password-file", "f"], "PLAINTEXT sends neither"),
        (["--kafka-ca-file", "f"], "PLAINTEXT does not encrypt"),
        (["--kafka-security-protocol", "TLS"], "is none of PLAINTEXT, SSL, SASL_SSL, SASL_PLAINTEXT"),
        (["--kafka-sasl-mechanism", "GSSAPI"], "is none of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512"),
        (["--kafka-min-insync-replicas", "2"], "asks for more brokers than --kafka-replication-factor 1"),
        (["--kafka-replication-factor", "0"], "'0' is no number from 1"),
        (["--kafka-retention-hours", "a week"], "'a week' is no number from 1"),
        (["--kafka-compression", "zip"], "is none of none, gzip"),
    ],
)
def test_what_can_not_be_meant_is_refused(flags: list[str], why: str) -> None:
    with pytest.raises(OperatorError) as refused:
        settings(*flags)
    assert why in refused.value.why
    assert refused.value.next_step


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_certificates_that_can_not_be_used_are_named(content: str | None, tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    with pytest.raises(OperatorError, match=r"ca\.pem"):
        settings("--kafka-security-protocol", "SSL", "--kafka-ca-file", str(path)).kafka_access()
