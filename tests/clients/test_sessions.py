"""Unchanged clients, each through a session as its users know it: make a table, fill it, ask it, end it."""

import subprocess
from pathlib import Path
from shutil import copy
from typing import Any
from urllib.request import urlopen

import pytest

from services.lab.ports import free_ports
from tests.clients.installed import java_clients, javascript_clients, python_clients
from tests.compat.conftest import client, url
from tests.compat.tables import unique

_sessions = Path(__file__).parent / "sessions"
_limit_s = 120

__all__ = ["client", "url"]  # fixtures, used by name
_region = "us-east-1"


def check(*command: object, url: str) -> None:
    """Runs a session to its end on a table of its own."""
    run(*command, url, _region, unique())


def run(*command: object) -> None:
    words = list(map(str, command))
    done = subprocess.run(words, capture_output=True, text=True, timeout=_limit_s, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("session", ["aioboto3_session.py", "pynamodb_session.py"])
def test_python_clients(url: str, session: str) -> None:
    check(python_clients() / "python", _sessions / session, url=url)


def test_the_aws_command(url: str) -> None:
    check(_sessions / "aws_cli.sh", python_clients(), url=url)


@pytest.mark.parametrize("session", ["sdk_v3.mjs", "electrodb.mjs", "dynamoose.mjs"])
def test_javascript_clients(url: str, session: str) -> None:
    """A module finds its packages beside itself, so it runs from the folder that has them."""
    script = javascript_clients() / session
    copy(_sessions / session, script)
    check("node", script, url=url)


def test_java_clients(url: str, tmp_path: Path) -> None:
    """The compiler is among the jars, since what runs Java need not have one."""
    jars, session = f"{java_clients()}/*", _sessions / "EnhancedClient.java"
    run("java", "-cp", jars, "org.eclipse.jdt.internal.compiler.batch.Main", "-17", "-nowarn", "-d", tmp_path, session)
    check("java", "-cp", f"{jars}:{tmp_path}", session.stem, url=url)


def test_the_admin_gui_shows_tables_and_items(url: str, client: Any) -> None:
    name = unique()
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )
    client.put_item(TableName=name, Item={"id": {"S": "seen-in-the-gui"}})
    (port,) = free_ports(1)
    program = javascript_clients() / "node_modules" / "dynamodb-admin" / "dist" / "dynamodb-admin.js"
    command = ["node", str(program), "--port", str(port), "--host", "127.0.0.1", "--dynamo-endpoint", url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as gui:
        try:
            assert gui.stdout is not None
            assert any("listening" in line for line in iter(gui.stdout.readline, "")), "it says where it listens"
            assert name in _page(port, "")
            assert name in _page(port, f"tables/{name}/meta")
            assert "seen-in-the-gui" in _page(port, f"tables/{name}/items?operationType=scan&filters={{}}")
            assert "seen-in-the-gui" in _page(port, f"tables/{name}/items/seen-in-the-gui")
        finally:
            gui.terminate()


def _page(port: int, path: str) -> str:
    with urlopen(f"http://127.0.0.1:{port}/{path}", timeout=20) as answer:
        body: bytes = answer.read()
    return body.decode()
