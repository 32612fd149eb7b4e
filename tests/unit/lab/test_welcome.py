"""What a person reads when a lab is ready."""

from pathlib import Path

import pytest

from services.lab.layout import LabFolder
from services.lab.record import LabRequest, plan_lab
from services.lab.welcome import welcome


@pytest.mark.parametrize(
    ("is_detached", "end"), [(False, "\nCtrl-C stops the lab"), (True, " lab down --data {} stops")]
)
def test_the_welcome_tells_where_everything_is_and_how_to_end_it(is_detached: bool, end: str, tmp_path: Path) -> None:
    record = plan_lab(LabRequest(), None)
    text = welcome(record, LabFolder(tmp_path), is_detached=is_detached)
    keys = record.credentials
    assert all(word in text for word in ("http://127.0.0.1:8003/console", keys.access_key_id, record.token, "put_item"))
    assert end.format(tmp_path) in text
