"""Loads a rulebook from YAML: all faults at once, each with file, line, column and remedy; every example is run."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path as FilePath
from typing import Any

from shared.declaration.faults import InvalidDeclaration
from shared.declaration.parse import parse_declaration
from shared.marked_yaml import Path, read_yaml
from shared.rulebook.compile import check_broken_rule, compile_rule, read_written
from shared.rulebook.examples import check_examples
from shared.rulebook.faults import FaultList, InvalidRulebook, RulebookFault
from shared.rulebook.model import HeaderText, Rulebook, RulebookText, RuleText
from shared.rulebook.warnings import Entry, warnings
from shared.verdicts import RulebookVersion

MOST_RULES = 1000
MOST_FAULTS = 200
SHIPPED = FilePath(__file__).parent / "rulebooks" / "studio-genai"


@dataclass(frozen=True)
class _File:
    text: RulebookText
    faults: FaultList


@cache
def shipped_rulebook() -> Rulebook:
    """The rulebook `studio-genai` that comes with the product."""
    return load_rulebook(SHIPPED)


def load_rulebook(path: FilePath) -> Rulebook:
    """The rulebook in a YAML file, or in the YAML files of a folder. Raises InvalidRulebook; OSError if unreadable."""
    files = sorted(path.glob("*.yaml")) if path.is_dir() else [path]
    try:
        return parse_rulebook({file.name: file.read_text(encoding="utf-8-sig") for file in files})
    except UnicodeDecodeError as error:
        fault = RulebookFault(path.name, 1, 1, "rulebook", "is no UTF-8 text", "save it as UTF-8")
        raise InvalidRulebook([fault]) from error


def parse_rulebook(sources: Mapping[str, str]) -> Rulebook:
    """The rulebook in these texts, by file name. Raises InvalidRulebook with every fault."""
    files = [_read_file(name, text) for name, text in sources.items()]
    header = _header(files)
    rules: list[Entry] = []
    if not _too_many(files):
        rules = [entry for file in files for entry in _rules(file)]
        _check_ids(rules)
    if header is not None and _is_valid(header.baseline):
        for entry in rules:
            check_examples(entry.rule, entry.text, header.baseline, entry.path, entry.faults)
    faults = [fault for file in files for fault in file.faults.faults]
    if not files:
        faults = [RulebookFault("rulebook", 1, 1, "rulebook", "there is no YAML file", "name a file or folder")]
    if faults or header is None:
        raise InvalidRulebook(faults[:MOST_FAULTS])
    version = RulebookVersion(id=header.id, version=header.version, sha256=_digest(sources))
    told = warnings(rules, header.baseline)
    return Rulebook(version, header.title, tuple(entry.rule for entry in rules), dict(sources), told)


def _too_many(files: Sequence[_File]) -> bool:
    """Notes the first rule that is one too many, over all files."""
    left = MOST_RULES
    for file in files:
        if len(file.text.rules) > left:
            remedy = "join rules that differ in a value only: a test takes a list of values"
            file.faults.add(("rules", left), f"there are more than {MOST_RULES:,} rules", remedy)
            return True
        left -= len(file.text.rules)
    return False


def _read_file(name: str, source: str) -> _File:
    marked = read_yaml(source)
    faults = FaultList(name, marked)
    for fault in marked.faults:
        faults.add_at(fault.place, fault.path, fault.message, fault.remedy)
    data = {} if marked.data is None else marked.data
    text = None if marked.faults and not data else read_written(RulebookText, data, (), faults)
    return _File(text or RulebookText(), faults)


def _header(files: list[_File]) -> HeaderText | None:
    with_header = [file for file in files if file.text.rulebook is not None]
    for file in with_header[1:]:
        file.faults.add(("rulebook",), "a second `rulebook:` block", "keep it in one file")
    if not with_header:
        if files and not files[0].faults.faults:
            files[0].faults.add((), "there is no `rulebook:` block", "add id, version, title and baseline")
        return None
    first = with_header[0]
    header = read_written(HeaderText, first.text.rulebook, ("rulebook",), first.faults)
    if header is not None:
        _check_baseline(header, first.faults)
    return header


def _check_baseline(header: HeaderText, faults: FaultList) -> None:
    try:
        parse_declaration(header.baseline)
    except InvalidDeclaration as error:
        for fault in error.faults:
            faults.add(("rulebook", "baseline"), f"{fault.field}: {fault.message}", fault.remedy)


def _is_valid(baseline: Mapping[str, Any]) -> bool:
    try:
        parse_declaration(baseline)
    except InvalidDeclaration:
        return False
    return True


def _rules(file: _File) -> Iterator[Entry]:
    for index, data in enumerate(file.text.rules):
        path: Path = ("rules", index)
        before = len(file.faults.faults)
        text = read_written(RuleText, data, path, file.faults)
        if text is None:
            check_broken_rule(data, path, file.faults)
            continue
        rule = compile_rule(text, path, file.faults)
        if len(file.faults.faults) == before:
            yield Entry(rule, text, path, file.faults)


def _check_ids(entries: list[Entry]) -> None:
    seen: set[str] = set()
    for entry in entries:
        if entry.rule.id in seen:
            message = f"the id `{entry.rule.id}` appears twice"
            entry.faults.add((*entry.path, "id"), message, "give each rule its own id")
        seen.add(entry.rule.id)


def _digest(sources: Mapping[str, str]) -> str:
    if len(sources) == 1:
        return hashlib.sha256(next(iter(sources.values())).encode()).hexdigest()
    digest = hashlib.sha256()
    for name, text in sorted(sources.items()):
        digest.update(f"{name}\0{len(text)}\0{text}".encode())
    return digest.hexdigest()
