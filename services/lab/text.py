"""Text for people: aligned tables, durations, and a progress bar that only a terminal sees."""

import sys
from collections.abc import Sequence

bar_cells = 30


def aligned(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as their widest cell, two blanks apart; cells that begin with a digit stand right."""
    lines = [header, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if cell[:1].isdigit() else cell.ljust(width)
            for cell, width in zip(line, widths, strict=True)
        ).rstrip()
        for line in lines
    )


def duration(value_s: float | None) -> str:
    if value_s is None:
        return "–"
    if value_s < 1:
        return f"{value_s * 1000:.0f} ms"
    return f"{value_s:.1f} s" if value_s < 120 else f"{value_s / 60:.0f} min"


def show_progress(done: float, *, text: str) -> None:
    """Draws the bar anew; `done` is a share of 1."""
    if sys.stderr.isatty():
        filled = round(bar_cells * min(1.0, done))
        sys.stderr.write(f"\r\033[K{'█' * filled}{'░' * (bar_cells - filled)} {text}")
        sys.stderr.flush()


def clear_progress() -> None:
    if sys.stderr.isatty():
        sys.stderr.write("\r\033[K")
        sys.stderr.flush()
