"""The commands for a compose lab where there is none, and those that it can't carry out."""

from pathlib import Path

import pytest

from services.lab.cli import main
from services.lab.compose_lab import ComposeLab
from shared.errors import OperatorError


def test_missing_docker_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["lab", "status", "--compose"]) == 1
    assert "docker can't be asked" in capsys.readouterr().err


def test_one_link_of_a_compose_lab_can_not_be_cut() -> None:
    lab = ComposeLab({"region-a": {}, "region-b": {}}, "between")
    with pytest.raises(OperatorError, match="one link") as refused:
        lab.cut("a", "b", one_way=False, for_s=None)
    assert "meridian lab cut a --compose" in refused.value.next_step


def test_processes_that_a_compose_lab_has_not_are_refused_with_those_that_it_has() -> None:
    lab = ComposeLab({"region-a": {}, "kafka-a": {}, "grafana": {}}, "between")
    for process in ("b", "grafana:a", "grafana", "replicator:a"):
        with pytest.raises(OperatorError) as refused:
            lab.kill(process)
        assert refused.value.why == "its processes are region:a, kafka:a"
