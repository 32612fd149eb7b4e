"""`meridian region`: the door to `process`, which is loaded without collecting garbage."""

import gc
import sys
from collections.abc import Sequence
from importlib import import_module

from shared.errors import OperatorError


def main(argv: Sequence[str] | None = None) -> int:
    """Until an orderly stop; raises `OperatorError` when the region can't run."""
    gc.disable()  # what loading makes stays; looking it through for garbage takes an eighth of the start
    import_module("services.region.process").run(argv)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except OperatorError as error:
        print(f"meridian region: {error}", file=sys.stderr)
        sys.exit(1)
