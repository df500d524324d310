"""Multipart bodies, streamed: the file goes to its sink chunk by chunk, only the JSON part is held, and small."""

from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field

from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from shared.declaration.faults import did_you_mean, shown
from shared.web.faults import FieldFault
from shared.web.problems import Problem

Sink = Callable[[bytes], Awaitable[None]]
_HEAD_BYTES = 4096
_HEADER_BYTES = 8192
_MOST_PARTS = 20


@dataclass(frozen=True, slots=True)
class Wanted:
    """The two parts of a body: a file, and a JSON document, in either order."""

    document: str
    file: str = "file"
    file_bytes: int = 200_000_000
    document_bytes: int = 1_000_000


@dataclass(frozen=True, slots=True)
class Received:
    """What came: the document's bytes, and of the file its name, its first bytes and its length."""

    document: bytes
    filename: str
    head: bytes
    size: int


async def receive_parts(request: Request, wanted: Wanted, sink: Sink) -> Received:
    """Reads the body once. Raises a `Problem`: 413, 415, or a 422 that names every wrong part."""
    boundary = _boundary(request)
    most = wanted.file_bytes + wanted.document_bytes + _MOST_PARTS * _HEADER_BYTES
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > most:
        raise _too_large(wanted.file, wanted.file_bytes)
    reader, total = _Reader(wanted), 0
    try:
        parser = MultipartParser(boundary, reader.callbacks())  # type: ignore[arg-type]  # a TypedDict of optional keys
        async with aclosing(request.stream()) as stream:
            async for chunk in stream:
                total += len(chunk)
                if total > most:
                    raise _too_large(wanted.file, wanted.file_bytes)
                parser.write(chunk)
                for piece in reader.take():
                    await sink(piece)
        parser.finalize()
    except FormParserError as error:
        raise _broken("the multipart body cannot be read") from error
    return reader.received()


def multipart_body(document: str, schema: dict[str, object]) -> dict[str, object]:
    """For a route's `openapi_extra`: the two parts in the OpenAPI document."""
    file = {"type": "string", "contentMediaType": "application/octet-stream"}
    parts = {"type": "object", "required": ["file", document], "properties": {"file": file, document: schema}}
    encoding = {document: {"contentType": "application/json"}}
    content = {"multipart/form-data": {"schema": parts, "encoding": encoding}}
    return {"requestBody": {"required": True, "content": content}}


@dataclass(slots=True)
class _Part:
    name: str = ""
    filename: str | None = None
    size: int = 0
    content: bytearray = field(default_factory=bytearray)


class _Reader:
    """The parser's callbacks. They cannot wait, so pieces of the file gather until `take`."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._parts: dict[str, _Part] = {}
        self._faults: list[FieldFault] = []
        self._count = 0
        self._part = _Part()
        self._header = (bytearray(), bytearray())
        self._disposition = b""
        self._pieces: list[bytes] = []
        self._ended = False

    def callbacks(self) -> dict[str, Callable[..., None]]:
        return {
            "on_part_begin": self._begin,
            "on_part_data": self._data,
            "on_header_field": lambda data, start, end: self._header_bytes(0, data[start:end]),
            "on_header_value": lambda data, start, end: self._header_bytes(1, data[start:end]),
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers_finished,
            "on_end": self._end,
        }

    def take(self) -> list[bytes]:
        pieces, self._pieces = self._pieces, []
        return pieces

    def received(self) -> Received:
        """Raises a 422 `Problem` with every fault of the parts."""
        if not self._ended:
            raise _broken("the multipart body is cut short")
        file, document = self._parts.get(self._wanted.file), self._parts.get(self._wanted.document)
        for name, part in ((self._wanted.file, file), (self._wanted.document, document)):
            if part is None:
                remedy = f"add a part `{name}`"
                self._faults.append(FieldFault(field=name, message="the part is missing", remedy=remedy))
        if file is not None and file.size == 0:
            self._faults.append(FieldFault(field=file.name, message="is empty", remedy="send the file's bytes"))
        if self._faults or file is None or document is None:
            raise Problem(422, "invalid_parts", errors=self._faults)
        return Received(bytes(document.content), file.filename or "", bytes(file.content), file.size)

    def _begin(self) -> None:
        self._count += 1
        if self._count > _MOST_PARTS:
            raise _broken(f"the body has more than {_MOST_PARTS} parts")
        self._part, self._disposition, self._header = _Part(), b"", (bytearray(), bytearray())

    def _header_bytes(self, which: int, data: bytes) -> None:
        self._header[which].extend(data)
        if len(self._header[which]) > _HEADER_BYTES:
            raise _broken("a part's header is too long")

    def _header_end(self) -> None:
        name, value = self._header
        if name.lower() == b"content-disposition":
            self._disposition = bytes(value)
        self._header = (bytearray(), bytearray())

    def _headers_finished(self) -> None:
        _, options = parse_options_header(self._disposition)
        name = options.get(b"name", b"").decode("utf-8", "replace")
        filename = options.get(b"filename")
        self._part = _Part(name, None if filename is None else filename.decode("utf-8", "replace"))
        known = (self._wanted.file, self._wanted.document)
        if name not in known:
            what = shown(name).strip("`") or "part"
            remedy = did_you_mean(name, known)
            self._faults.append(FieldFault(field=what, message="there is no such part", remedy=remedy))
        elif name in self._parts:
            self._faults.append(FieldFault(field=name, message="the part comes twice", remedy="send it once"))
        else:
            self._parts[name] = self._part

    def _data(self, data: bytes, start: int, end: int) -> None:
        part = self._part
        if self._parts.get(part.name) is not part:
            return  # unknown or repeated: read over it, it is a fault already
        part.size += end - start
        if part.name == self._wanted.file:
            if part.size > self._wanted.file_bytes:
                raise _too_large(part.name, self._wanted.file_bytes)
            if len(part.content) < _HEAD_BYTES:
                part.content += data[start : min(end, start + _HEAD_BYTES - len(part.content))]
            self._pieces.append(data[start:end])
        else:
            if part.size > self._wanted.document_bytes:
                raise _too_large(part.name, self._wanted.document_bytes)
            part.content += data[start:end]

    def _end(self) -> None:
        self._ended = True


def _boundary(request: Request) -> bytes:
    kind, options = parse_options_header(request.headers.get("content-type"))
    if kind != b"multipart/form-data":
        raise Problem(415, detail="send multipart/form-data")
    boundary = options.get(b"boundary", b"")
    if not 0 < len(boundary) <= 200:
        raise _broken("the Content-Type names no boundary")
    return boundary


def _broken(message: str) -> Problem:
    fault = FieldFault(field="body", message=message, remedy="send multipart/form-data with its closing boundary")
    return Problem(422, "invalid_multipart", errors=[fault])


def _too_large(name: str, most: int) -> Problem:
    fault = FieldFault(field=name, message=f"is larger than {most:,} bytes", remedy="send a smaller one")
    return Problem(413, errors=[fault])
