"""What the kernel says of processes and disks, read without a mistake."""

from pathlib import Path

import pytest

from tests.bench.machine import filesystem_of
from tests.bench.servers import cpu_ticks

_mounts = """\
/dev/vda / ext4 rw,relatime 0 0
tmpfs /tmp tmpfs rw 0 0
/dev/vdb /tmp/disk xfs rw 0 0
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [("/srv/data", "ext4"), ("/tmp/data", "tmpfs"), ("/tmp/disk/data", "xfs"), ("/tmpdata", "ext4")],
)
def test_the_innermost_mount_decides(folder: str, kind: str) -> None:
    assert filesystem_of(Path(folder), _mounts) == kind


def test_cpu_ticks_are_found_behind_any_program_name() -> None:
    assert cpu_ticks("4711 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 150 50 0 0 20 0 4") == 200
