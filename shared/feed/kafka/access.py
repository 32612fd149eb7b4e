"""How a client gets into a Kafka cluster: encrypted or not, whom it trusts, who it is. Settings of both services."""

import ssl
from dataclasses import dataclass, field
from pathlib import Path

from shared.errors import OperatorError
from shared.settings import Settings, one_of, read_secret, setting

_encrypted = ("SSL", "SASL_SSL")
_authenticated = ("SASL_PLAINTEXT", "SASL_SSL")


@dataclass(frozen=True, slots=True)
class KafkaAccess:
    """Kafka's own words: `protocol` is its security.protocol, `mechanism` its sasl.mechanism."""

    protocol: str = "PLAINTEXT"
    trust: ssl.SSLContext | None = None
    mechanism: str = "PLAIN"
    user: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaAccessSettings(Settings):
    """What services that follow or publish to Kafka derive their settings from."""

    kafka_security_protocol: str = setting(
        "how Kafka is spoken to: PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL",
        parse=one_of("PLAINTEXT", *_encrypted, "SASL_PLAINTEXT"),
        default="PLAINTEXT",
    )
    kafka_ca_file: Path | None = setting(
        "certificates (PEM) that Kafka's must be signed by; without it, those that the system trusts",
        parse=Path,
        default=None,
    )
    kafka_sasl_mechanism: str = setting(
        "how a user proves who it is: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512",
        parse=one_of("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"),
        default="PLAIN",
    )
    kafka_user: str = setting("user at Kafka, with a protocol that begins with SASL", default="")
    kafka_password_file: Path | None = setting("file that holds that user's password", parse=Path, default=None)

    def check_kafka_access(self) -> None:
        """Raises `OperatorError` where these settings contradict each other."""
        protocol = self.kafka_security_protocol
        if protocol in _authenticated and not (self.kafka_user and self.kafka_password_file):
            raise _contradiction(
                f"{protocol} needs a user and a password",
                next_step="Give --kafka-user and --kafka-password-file, or another --kafka-security-protocol",
            )
        if protocol not in _authenticated and (self.kafka_user or self.kafka_password_file):
            raise _contradiction(
                f"a user and a password are given, and {protocol} sends neither",
                next_step="Leave them out, or choose SASL_SSL or SASL_PLAINTEXT with --kafka-security-protocol",
            )
        if protocol not in _encrypted and self.kafka_ca_file:
            raise _contradiction(
                f"certificates to trust are given, and {protocol} does not encrypt",
                next_step="Leave --kafka-ca-file out, or choose SSL or SASL_SSL with --kafka-security-protocol",
            )

    def kafka_access(self) -> KafkaAccess:
        """Reads what the files hold; raises `OperatorError` when they can't be used."""
        return KafkaAccess(
            protocol=self.kafka_security_protocol,
            trust=_trust(self.kafka_ca_file) if self.kafka_security_protocol in _encrypted else None,
            mechanism=self.kafka_sasl_mechanism,
            user=self.kafka_user,
            password="" if self.kafka_password_file is None else read_secret(self.kafka_password_file),
        )


def _trust(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:  # SSLError is one
        raise OperatorError(
            f"the certificates in {ca_file} can't be used",
            why=str(error),
            next_step="Give a file of certificates in PEM form with --kafka-ca-file",
        ) from error


def _contradiction(why: str, *, next_step: str) -> OperatorError:
    return OperatorError("Kafka can't be spoken to with these settings", why=why, next_step=next_step)
