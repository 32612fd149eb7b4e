"""Starting and stopping: ready means ready, an end leaves nothing running, and data outlives both."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from services.lab.ports import loopback
from services.lab.tables import ensure_replicated_table
from services.lab.welcome import first_command
from tests.faults.lab import Lab, regions


def test_a_lab_tells_where_everything_is(own_lab: Lab) -> None:
    document = own_lab.up()
    assert own_lab.folder.record.stat().st_mode & 0o777 == 0o600
    assert document == json.loads(own_lab.folder.record.read_bytes())
    assert [each["name"] for each in document["regions"]] == list(regions)
    assert [each["endpoint"] for each in document["regions"]] == [
        f"http://127.0.0.1:{own_lab.base_port + index}" for index in (1, 2, 3)
    ]
    status = own_lab.status()
    assert all(each["ready"] and each["pid"] for each in (*status["regions"], *status["replicators"]))
    assert [each["pid"] for each in status["regions"]] == [each["pid"] for each in document["regions"]]
    assert [each["tables"] for each in status["regions"]] == [0, 0, 0]


def test_the_command_to_paste_writes_in_one_region_and_reads_in_another(own_lab: Lab) -> None:
    own_lab.up()
    pasted = first_command(own_lab.record)
    for _ in range(2):
        done = subprocess.run(["bash", "-ec", pasted], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert "from us-east-1" in done.stdout


def test_what_the_readme_shows_first_works_as_it_stands(own_lab: Lab) -> None:
    own_lab.up()
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^\.venv/bin/python - <<'END'.*?^curl [^\n]*", readme, re.MULTILINE | re.DOTALL)
    pasted = re.sub(r"\b800([123])\b", lambda port: str(own_lab.base_port + int(port[1])), block)
    pasted = pasted.replace(".venv/bin/python", sys.executable)
    done = subprocess.run(["bash", "-ec", pasted], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert '"id":"us-east-1"' in done.stdout


async def test_items_and_credentials_are_found_again_after_a_stop(own_lab: Lab) -> None:
    first = own_lab.up()
    client = own_lab.client("us-east-1")
    await ensure_replicated_table([client], "kept")
    await client.call("PutItem", {"TableName": "kept", "Item": {"id": {"S": "a"}}})
    await client.close()
    own_lab.down()
    assert not any(process.pid for process in own_lab.record.processes)
    assert "This lab has no supervisor" in own_lab.run("status").stdout
    second = own_lab.up()
    assert (second["credentials"], second["token"]) == (first["credentials"], first["token"])
    client = own_lab.client("us-east-1")
    found = await client.call("GetItem", {"TableName": "kept", "Key": {"id": {"S": "a"}}})
    assert found == {"Item": {"id": {"S": "a"}}}
    await client.close()


def test_a_second_lab_in_the_same_folder_is_refused(own_lab: Lab) -> None:
    own_lab.up()
    refused = own_lab.run("up")
    assert refused.returncode == 1
    assert "a lab already runs in" in refused.stderr
    assert all(each["ready"] for each in own_lab.status()["regions"])


def test_a_port_in_use_is_named_with_who_uses_it(own_lab: Lab) -> None:
    with socket.create_server((loopback, own_lab.base_port + 2)):
        refused = own_lab.run(*own_lab.up_words)
    assert refused.returncode == 1
    assert f"port {own_lab.base_port + 2} is in use" in refused.stderr
    assert f"(pid {os.getpid()})" in refused.stderr
    assert "--base-port" in refused.stderr


def test_down_stops_what_a_killed_supervisor_left(own_lab: Lab) -> None:
    own_lab.up()
    left = own_lab.record
    assert left.supervisor is not None
    os.kill(left.supervisor.pid, signal.SIGKILL)
    own_lab.down()
    assert not any(identity.is_alive for identity in left.identities)


def test_ctrl_c_stops_everything_cleanly(own_lab: Lab) -> None:
    words = ("up", "--base-port", str(own_lab.base_port))
    with subprocess.Popen(own_lab.command(*words), stdout=subprocess.PIPE, text=True) as lab:
        assert lab.stdout is not None
        assert any("The lab is ready" in line for line in iter(lab.stdout.readline, ""))
        running = own_lab.record.identities
        lab.send_signal(signal.SIGINT)
        rest = lab.stdout.read()
    assert lab.returncode == 0
    assert "The lab has stopped" in rest
    assert len(running) == 6
    assert not any(identity.is_alive for identity in running)


def test_a_region_that_can_not_start_is_named_and_nothing_is_left_running(own_lab: Lab) -> None:
    own_lab.folder.make()
    own_lab.folder.region("eu-west-1").write_text("no folder", encoding="ascii")
    refused = own_lab.run(*own_lab.up_words)
    assert refused.returncode == 1
    assert "region:eu-west-1 ended at its start" in refused.stderr
    assert str(own_lab.folder.log("region:eu-west-1")) in refused.stderr
    record = own_lab.record
    assert not any(process.pid for process in record.processes)
    with suppress(OSError), socket.create_connection((loopback, own_lab.base_port + 1), timeout=1):
        raise AssertionError("somebody still listens")
