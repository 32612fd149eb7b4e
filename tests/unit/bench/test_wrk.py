"""What wrk prints becomes a load, or the round is void."""

from pathlib import Path

import pytest

from shared.errors import OperatorError
from tests.bench.wrk import load_of, write_messages

_errors = '{"connect":0,"read":0,"write":0,"status":0,"timeout":0}'


def _output(*, requests: int = 30_000, errors: str = _errors) -> str:
    return (
        "Running 3s test @ http://127.0.0.1:4711/\n"
        "  30000 requests in 3.00s, 12.00MB read\n"
        f'report {{"requests":{requests},"duration_us":3000000,"bytes":12000000,"p50_us":2125,"p99_us":9500,'
        f'"errors":{errors}}}\n'
    )


def test_a_report_gives_rate_latencies_and_mean_reply() -> None:
    load = load_of(_output())
    assert load.requests_per_s == 10_000
    assert (load.p50_ms, load.p99_ms) == (2.125, 9.5)
    assert load.reply_bytes == 400


@pytest.mark.parametrize("kind", ["connect", "read", "write", "status", "timeout"])
def test_one_failed_request_voids_the_round(kind: str) -> None:
    with pytest.raises(OperatorError, match=f"{kind} 1"):
        load_of(_output(errors=_errors.replace(f'"{kind}":0', f'"{kind}":1')))


def test_a_round_without_replies_is_void() -> None:
    with pytest.raises(OperatorError, match="no reply at all"):
        load_of(_output(requests=0))


def test_what_wrk_says_instead_of_a_report_is_shown() -> None:
    with pytest.raises(OperatorError, match="unable to connect"):
        load_of("unable to connect to 127.0.0.1:1 Connection refused\n")


def test_messages_may_hold_line_ends(tmp_path: Path) -> None:
    """The script reads by length, because HTTP messages are full of line ends."""
    path = write_messages([b"GET / HTTP/1.1\r\n\r\n", b"x\n"], tmp_path / "messages")
    assert path.read_bytes() == b"18\nGET / HTTP/1.1\r\n\r\n2\nx\n"
