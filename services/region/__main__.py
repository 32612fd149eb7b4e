"""`meridian region`: the door to `process`, which is loaded without collecting garbage."""

import gc
import sys
from collections.abc import Sequence
from importlib import import_module

from shared.errors import OperatorError


def main(argv: Sequence[str] | None = None) -> int:
    """0 after an orderly stop, 1 with what to do when the region can't run."""
    gc.disable()  # what loading makes stays; looking it through for garbage takes an eighth of the start
    try:
        import_module("services.region.process").run(argv)
    except OperatorError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
