"""Back-off: doubling delays up to a bound, the upper half of each by chance so that many do not return at once."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BackOff:
    first_s: float
    max_s: float

    def delay_s(self, failures: int, *, chance: float) -> float:
        """The delay after so many failures in a row (from 1); `chance` is drawn from 0…1."""
        full = min(self.max_s, self.first_s * 2.0 ** min(failures - 1, 32))
        return full * (0.5 + 0.5 * chance)
