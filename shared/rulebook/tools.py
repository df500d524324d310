"""Tools whose terms the studio has on record, as data: a stage that names one need not repeat its terms."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from shared.declaration.model import Declaration
from shared.errors import ConfigurationError
from shared.frozen import Frozen
from shared.marked_yaml import read_yaml
from shared.rulebook.compile import read_written
from shared.rulebook.facts_model import YesNo
from shared.rulebook.faults import FaultList, RulebookFault
from shared.rulebook.model import ToolText, Written


class KnownTool(Frozen):
    """A tool whose terms the studio has on record. They fill in for silence; where they are worse, they count."""

    vendor: str
    tool: str
    environment: Literal["enterprise", "consumer"]
    stores_reuses_or_trains: YesNo


class ToolsText(Written):
    """The file as written."""

    tools: Annotated[list[Any], Field(max_length=5000)]


class Tools:
    """The studio's list, searched by vendor and tool; case and blanks around do not matter."""

    def __init__(self, tools: Iterable[KnownTool] = ()) -> None:
        self._by_name = {tool_key(tool.vendor, tool.tool): tool for tool in tools}

    def named_in(self, declaration: Declaration) -> tuple[KnownTool, ...]:
        """The known tools that the stages name, each once."""
        if not self._by_name:
            return ()
        keys = dict.fromkeys(tool_key(stage.vendor, stage.tool) for stage in declaration.stages)
        return tuple(self._by_name[key] for key in keys if key in self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)


def tool_key(vendor: str | None, tool: str | None) -> tuple[str, str]:
    """What makes two names the same tool."""
    return (vendor or "").strip().casefold(), (tool or "").strip().casefold()


def known_tool(text: ToolText) -> KnownTool:
    """A tool as used."""
    return KnownTool(**text.model_dump())


def load_tools(path: Path) -> Tools:
    """The list in a YAML file. Raises ConfigurationError with every fault, its line and its remedy."""
    try:
        return parse_tools(path.read_text(encoding="utf-8-sig"), path.name)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}") from error


def parse_tools(text: str, name: str = "tools.yaml") -> Tools:
    """The list in a YAML text. Raises ConfigurationError."""
    marked = read_yaml(text)
    faults = FaultList(name, marked)
    for fault in marked.faults:
        faults.add_at(fault.place, fault.path, fault.message, fault.remedy)
    tools = [] if faults.faults else _read(marked.data, faults)
    if faults.faults:
        raise ConfigurationError(_told(faults.faults))
    return Tools(tools)


def _read(data: Any, faults: FaultList) -> list[KnownTool]:
    file = read_written(ToolsText, data, (), faults)
    tools: dict[tuple[str, str], KnownTool] = {}
    for index, entry in enumerate(file.tools if file else ()):
        written = read_written(ToolText, entry, ("tools", index), faults)
        if written is None:
            continue
        key = tool_key(written.vendor, written.tool)
        if key in tools:
            faults.add(("tools", index), f"`{written.tool}` of `{written.vendor}` appears twice", "keep one entry")
        tools[key] = known_tool(written)
    return list(tools.values())


def _told(faults: Iterable[RulebookFault]) -> str:
    return "the list of tools cannot be used:\n" + "\n".join(f"  {fault}" for fault in faults)
