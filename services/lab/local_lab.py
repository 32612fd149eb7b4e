"""The lab whose supervisor runs in a folder, as commands see it."""

from dataclasses import dataclass
from typing import Any

from services.lab.control import ask, is_answering
from services.lab.layout import LabFolder
from services.lab.record import LabRecord, existing_record


@dataclass(frozen=True, slots=True)
class LocalLab:
    """Raises `OperatorError` where there is no lab, or its supervisor refuses."""

    folder: LabFolder

    def record(self) -> LabRecord:
        return existing_record(self.folder)

    def has_supervisor(self) -> bool:
        return is_answering(self.folder)

    def cuts(self) -> list[dict[str, Any]]:
        """The links that are cut; none while the lab isn't running."""
        cuts: list[dict[str, Any]] = ask(self.folder, "status")["cuts"] if is_answering(self.folder) else []
        return cuts

    def cut(self, source: str, target: str | None, *, one_way: bool, for_s: float | None) -> list[dict[str, Any]]:
        """Cuts the links between two regions, or without a target those between one and all others; all cuts."""
        targets = [target] if target is not None else [each.name for each in self.record().topology.others(source)]
        cuts: list[dict[str, Any]] = []
        for each in targets:
            cuts = ask(self.folder, "cut", source=source, target=each, one_way=one_way, for_s=for_s)["cuts"]
        return cuts

    def heal(self) -> list[dict[str, Any]]:
        """The links that were cut."""
        healed: list[dict[str, Any]] = ask(self.folder, "heal")["healed"]
        return healed

    def kill(self, process: str) -> dict[str, Any]:
        return ask(self.folder, "kill", process=process)

    def start(self, process: str) -> dict[str, Any]:
        return ask(self.folder, "start", process=process)
