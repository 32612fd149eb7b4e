"""Logs: one JSON document a line off a terminal, from structlog and the standard library alike."""

import json
import subprocess
import sys

program = """
import logging, structlog
from shared.telemetry import configure_logging
configure_logging("region", "us-east-1")
structlog.get_logger("ours").info("started", port=8001)
logging.getLogger("theirs").warning("slow %s", "disk", extra={"took_s": 2, "color_message": "slow %s"})
structlog.get_logger("ours").debug("too much")
try:
    raise ValueError("broken")
except ValueError:
    structlog.get_logger("ours").exception("failed")
"""


def test_every_line_is_json_and_says_where_it_comes_from() -> None:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["event"] for line in lines] == ["started", "slow disk", "failed"]
    assert [line["level"] for line in lines] == ["info", "warning", "error"]
    assert [line["logger"] for line in lines] == ["ours", "theirs", "ours"]
    assert all((line["service"], line["region"]) == ("region", "us-east-1") for line in lines)
    assert lines[0]["port"] == 8001
    assert lines[1]["took_s"] == 2
    assert "color_message" not in lines[1], "uvicorn's second text is for terminals"
    assert "ValueError: broken" in lines[2]["exception"]
