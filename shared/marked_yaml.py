"""YAML 1.2 as plain data that knows its places: duplicate keys, cycles and floods of aliases are faults, not data."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

Path = tuple[str | int, ...]
LARGEST_CHARACTERS = 512 * 1024
_MOST_NODES = 200_000
_DEEPEST = 50
_SCALARS = {
    "tag:yaml.org,2002:str": SafeConstructor.construct_yaml_str,
    "tag:yaml.org,2002:int": SafeConstructor.construct_yaml_int,
    "tag:yaml.org,2002:float": SafeConstructor.construct_yaml_float,
    "tag:yaml.org,2002:bool": SafeConstructor.construct_yaml_bool,
    "tag:yaml.org,2002:null": SafeConstructor.construct_yaml_null,
}


@dataclass(frozen=True)
class Place:
    """A line and column, counted from 1."""

    line: int = 1
    column: int = 1


@dataclass(frozen=True)
class TextFault:
    """What is wrong with the text itself, and where."""

    place: Place
    path: Path
    message: str
    remedy: str


@dataclass
class MarkedData:
    """Plain data, the place of each path in it, and the faults met on the way."""

    data: Any = None
    places: dict[Path, Place] = field(default_factory=dict)
    faults: list[TextFault] = field(default_factory=list)

    def place(self, path: Path) -> Place:
        """Where `path` stands; where that is unknown, its nearest ancestor."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, Place())


def read_yaml(text: str) -> MarkedData:
    """Read one YAML (or JSON) document. Never raises: what is wrong is in `faults`."""
    marked = MarkedData()
    if len(text) > LARGEST_CHARACTERS:
        remedy = f"keep it under {LARGEST_CHARACTERS:,} characters, or split it"
        marked.faults.append(TextFault(Place(), (), f"the text has {len(text):,} characters", remedy))
        return marked
    try:
        node = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(mark.line + 1, mark.column + 1) if mark else Place()
        marked.faults.append(TextFault(place, (), f"not valid YAML: {error.problem or error.context}", "correct it"))
        return marked
    except (YAMLError, RecursionError, ValueError) as error:
        marked.faults.append(TextFault(Place(), (), f"not valid YAML: {_first_line(error)}", "correct it"))
        return marked
    if node is not None:
        marked.data = _Reader(marked).read(node, ())
    return marked


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]


class _Reader:
    def __init__(self, marked: MarkedData) -> None:
        self._marked = marked
        self._open: set[int] = set()
        self._nodes = 0

    def read(self, node: Node, path: Path) -> Any:
        self._marked.places.setdefault(path, _place(node))
        self._nodes += 1
        if self._nodes > _MOST_NODES:
            if self._nodes == _MOST_NODES + 1:
                self._fault(node, path, f"more than {_MOST_NODES:,} values", "write it shorter, with fewer aliases")
            return None
        if id(node) in self._open:
            self._fault(node, path, "an anchor that contains itself", "write the value out")
            return None
        if len(path) > _DEEPEST:
            self._fault(node, path, f"nested deeper than {_DEEPEST} levels", "flatten it")
            return None
        return self._value(node, path)

    def _value(self, node: Node, path: Path) -> Any:
        if isinstance(node, ScalarNode):
            return self._scalar(node, path)
        self._open.add(id(node))
        try:
            if isinstance(node, SequenceNode):
                return [self.read(child, (*path, index)) for index, child in enumerate(node.value)]
            return dict(self._items(node, path)) if isinstance(node, MappingNode) else None
        finally:
            self._open.discard(id(node))

    def _items(self, node: MappingNode, path: Path) -> Iterator[tuple[str, Any]]:
        seen: dict[str, Place] = {}
        for key_node, value_node in node.value:
            key = key_node.value if isinstance(key_node, ScalarNode) else None
            if key is None:
                self._fault(key_node, path, "a key that is no text", "use a plain word as the key")
            elif key in seen:
                first = f"first on line {seen[key].line}"
                self._fault(key_node, (*path, key), f"the key `{key}` appears twice, {first}", "keep one of them")
            else:
                seen[key] = self._marked.places[(*path, key)] = _place(key_node)
                yield key, self.read(value_node, (*path, key))

    def _scalar(self, node: ScalarNode, path: Path) -> Any:
        construct = _SCALARS.get(str(node.tag))
        if construct is None:
            if str(node.tag) == "tag:yaml.org,2002:timestamp":
                return node.value
            self._fault(node, path, f"the tag {node.tag} is not known here", "write plain values")
            return None
        try:
            return construct(_CONSTRUCTOR, node)
        except ValueError:
            return node.value

    def _fault(self, node: Node, path: Path, message: str, remedy: str) -> None:
        self._marked.faults.append(TextFault(_place(node), path, message, remedy))


_CONSTRUCTOR = YAML(typ="safe", pure=True).constructor


def _place(node: Node) -> Place:
    mark = node.start_mark
    return Place(mark.line + 1, mark.column + 1)
