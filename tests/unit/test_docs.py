"""What the documents name exists: commands, flags, make targets, files and folders."""

import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from services.lab.cli import main
from services.region.settings import RegionSettings
from services.replicator.settings import ReplicatorSettings

root = Path(__file__).parents[2]
readme = (root / "README.md").read_text()
documents = [
    path
    for path in sorted(root.rglob("*.md"))
    if not {".venv", "build", "node_modules"} & set(path.relative_to(root).parts)
]


def test_the_first_command_stands_within_25_lines() -> None:
    assert any(line.startswith("make lab") for line in readme.splitlines()[:25])


def test_an_aws_command_of_the_readme_works_on_a_machine_without_settings() -> None:
    (command,) = re.findall(r"^.*\baws dynamodb .*", readme, re.MULTILINE)
    assert {"AWS_ACCESS_KEY_ID=any", "AWS_SECRET_ACCESS_KEY=any", "--region", "--endpoint-url"} <= set(command.split())


@pytest.mark.parametrize("target", sorted(set(re.findall(r"^\s*make ([a-z-]+)", readme, re.MULTILINE))))
def test_every_make_target_of_the_readme_exists(target: str) -> None:
    assert re.search(rf"^{target}:", (root / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("name", sorted(set(re.findall(r"meridian lab ([a-z]+)", readme))))
def test_every_lab_command_of_the_readme_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["lab", name, "--help"])
    assert ended.value.code == 0
    assert name in capsys.readouterr().out


def test_every_flag_of_the_readme_is_a_setting() -> None:
    table = readme[readme.index("## Settings") : readme.index("## Work on it")]
    known = {
        "--" + each.name.replace("_", "-") for kind in (RegionSettings, ReplicatorSettings) for each in fields(kind)
    }
    lab = {"--base-port", "--regions"}
    assert set(re.findall(r"`(--[a-z-]+)`", table)) <= known | lab | {"--help"}


def test_every_flag_of_the_feeds_design_is_a_setting() -> None:
    design = (root / "shared/feed/DESIGN.md").read_text()
    known = {"--" + each.name.replace("_", "-") for each in fields(RegionSettings)}
    assert set(re.findall(r"`(--kafka-[a-z-]+)`", design)) == {
        name for name in known if name.startswith("--kafka-") and name != "--kafka-bootstrap"
    }


@pytest.mark.parametrize("document", documents, ids=lambda path: str(path.relative_to(root)))
def test_every_link_to_a_file_leads_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", document.read_text()):
        assert (document.parent / target).exists(), target


def test_every_folder_of_the_map_exists() -> None:
    for folder in re.findall(r"^\| `([a-z/]+/)` \|", readme, re.MULTILINE):
        assert (root / folder).is_dir(), folder


def test_the_command_is_installed() -> None:
    command = Path(sys.executable).with_name("meridian")
    assert subprocess.run([command, "--help"], capture_output=True, check=False).returncode == 0
