"""What is wrong with a rulebook: file, line, column, rule, what was found, and the remedy."""

from dataclasses import dataclass, field

from shared.declaration.faults import field_path
from shared.errors import ClearframeError
from shared.marked_yaml import MarkedData, Path, Place


@dataclass(frozen=True)
class RulebookFault:
    """One fault, with its place. `path` leads to the value, as in `rules[3].when.use`."""

    file: str
    line: int
    column: int
    path: str
    message: str
    remedy: str

    @property
    def where(self) -> str:
        """`rules.yaml:12:9: rules[3].when.use`."""
        return f"{self.file}:{self.line}:{self.column}: {self.path}"

    def __str__(self) -> str:
        return f"{self.where}: {self.message}; {self.remedy}"


class InvalidRulebook(ClearframeError):  # noqa: N818 - as the other meanings in shared/errors.py
    """The rulebook cannot be used. Carries every fault that was found; the active rulebook stays."""

    def __init__(self, faults: list[RulebookFault]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = faults


@dataclass
class FaultList:
    """Collects the faults of one file while it is read."""

    file: str
    marked: MarkedData
    faults: list[RulebookFault] = field(default_factory=list)

    def add(self, path: Path, message: str, remedy: str) -> None:
        """Note a fault at the value that `path` leads to."""
        self.faults.append(self.fault(path, message, remedy))

    def fault(self, path: Path, message: str, remedy: str) -> RulebookFault:
        """What would be noted."""
        return self._at(self.marked.place(path), path, message, remedy)

    def add_at(self, place: Place, path: Path, message: str, remedy: str) -> None:
        """Note a fault at a known place."""
        self.faults.append(self._at(place, path, message, remedy))

    def _at(self, place: Place, path: Path, message: str, remedy: str) -> RulebookFault:
        name = field_path(path) if path else "rulebook"
        return RulebookFault(self.file, place.line, place.column, name, message, remedy)
