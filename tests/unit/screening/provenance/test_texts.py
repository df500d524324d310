"""Marks in PNG texts, EXIF, XMP and IPTC-IIM, each written as the tools write them."""

import io
import struct
from typing import Any

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from services.screening.provenance.marks import Mark
from services.screening.provenance.reader import read_provenance
from services.screening.provenance.source_types import source_type
from tests.unit.screening.provenance.signing import TYPES, Encode

A1111 = "a pier\nNegative prompt: fog\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1"
IIM = 0x0404


def claims(marks: tuple[Mark, ...]) -> set[tuple[str, str, bool]]:
    return {(mark.source, mark.claim, mark.generative) for mark in marks}


def xmp(inner: str, attributes: str = "") -> bytes:
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
        'xmlns:e="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" '
        'xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/" '
        f'{attributes}>{inner}</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    ).encode()


def exif(**tags: Any) -> bytes:
    """EXIF of Pillow's making; `comment` is UserComment's bytes."""
    written = Image.Exif()
    for name, value in tags.items():
        if name == "comment":
            written.get_ifd(0x8769)[0x9286] = value
        else:
            written[{"software": 0x0131, "make": 0x010F, "model": 0x0110, "description": 0x010E}[name]] = value
    return written.tobytes()


def iim(dataset: int, value: str) -> bytes:
    data = value.encode()
    return struct.pack(">BBBH", 0x1C, 2, dataset, len(data)) + data


def resources(block: bytes) -> bytes:
    """As Photoshop writes them: another resource comes first."""
    return b"".join(
        b"8BIM" + struct.pack(">HBBI", number, 0, 0, len(data)) + data + b"\0" * (len(data) & 1)
        for number, data in ((0x03ED, b"odd"), (IIM, block))
    )


def jpeg_with(jpeg: bytes, marker: int, payload: bytes) -> bytes:
    return jpeg[:2] + struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload + jpeg[2:]


@pytest.mark.parametrize("how", ["tEXt", "zTXt", "iTXt", "iTXt packed"])
def test_every_kind_of_png_text_is_read(how: str, encode: Encode) -> None:
    info = PngInfo()
    if how.startswith("iTXt"):
        info.add_itxt("parameters", A1111, zip="packed" in how)
    else:
        info.add_text("parameters", A1111, zip=how == "zTXt")
    (mark,) = read_provenance(encode("PNG", pnginfo=info), "png")
    assert (mark.source, mark.claim, mark.trust, mark.generative) == (
        "png_text", "Stable Diffusion web UI", "untrusted", True,
    )  # fmt: skip
    assert mark.detail.startswith("parameters: a pier Negative prompt: fog")


@pytest.mark.parametrize(
    "comment",
    [
        b"ASCII\0\0\0" + A1111.encode(),
        b"UNICODE\0" + A1111.encode("utf-16-be"),
        b"UNICODE\0" + A1111.encode("utf-16-le"),
        b"\0" * 8 + A1111.encode(),
        A1111.encode(),
    ],
    ids=["ascii", "big endian", "little endian", "undefined", "bare"],
)
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_a_user_comment_is_read_however_coded(comment: bytes, form: str, encode: Encode) -> None:
    found = read_provenance(encode(form, exif=exif(comment=comment)), form.lower())
    assert ("exif", "Stable Diffusion web UI", True) in claims(found)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_programs_name_themselves_in_exif(form: str, encode: Encode) -> None:
    data = encode(form, exif=exif(software="Adobe Firefly", make="Acme"))
    assert claims(read_provenance(data, form.lower())) == {("exif", "Adobe Firefly", True)}


def test_a_camera_is_no_mark(encode: Encode) -> None:
    data = encode("JPEG", exif=exif(make="Canon", model="EOS R5", software="Capture One", description="pier"))
    assert read_provenance(data, "jpeg") == ()


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "GIF", "AVIF"])
@pytest.mark.parametrize("written", ["attribute", "element", "resource", "list"])
def test_the_source_type_in_xmp_is_read(form: str, written: str, encode: Encode) -> None:
    uri = TYPES + "trainedAlgorithmicMedia"
    inner = {
        "attribute": "",
        "element": f"<e:DigitalSourceType>{uri}</e:DigitalSourceType>",
        "resource": f'<e:DigitalSourceType rdf:resource="{uri}"/>',
        "list": f"<e:DigitalSourceType><rdf:Bag><rdf:li>{uri}</rdf:li></rdf:Bag></e:DigitalSourceType>",
    }[written]
    packet = xmp(inner, f'e:DigitalSourceType="{uri}"' if written == "attribute" else "")
    if form == "PNG":
        info = PngInfo()
        info.add_itxt("XML:com.adobe.xmp", packet.decode())
        data = encode(form, pnginfo=info)
    else:
        data = encode(form, **({"tiffinfo": {700: packet}} if form == "TIFF" else {"xmp": packet}))
    if form == "GIF" and packet not in data:
        data = data[:-1] + b"!\xff\x0bXMP DataXMP" + packet + b"\1\0" + data[-1:]
    assert claims(read_provenance(data, form.lower())) == {("iptc_xmp", "trainedAlgorithmicMedia", True)}


def test_a_capture_in_xmp_is_not_generative(encode: Encode) -> None:
    data = encode("JPEG", xmp=xmp("", f'e:DigitalSourceType="{TYPES}digitalCapture" xmp:CreatorTool="Adobe Lightroom"'))
    assert claims(read_provenance(data, "jpeg")) == {("iptc_xmp", "digitalCapture", False)}


def test_tools_and_ai_properties_of_xmp(encode: Encode) -> None:
    packet = xmp(
        "<e:AISystemUsed>a house model</e:AISystemUsed>"
        "<photoshop:Credit>Made with Google AI</photoshop:Credit>"
        '<dc:description><rdf:Alt><rdf:li xml:lang="x-default">a pier --v 6 Job ID: 1</rdf:li></rdf:Alt>'
        "</dc:description>",
        'xmp:CreatorTool="Draw Things"',
    )
    found = {claim for _, claim, _ in claims(read_provenance(encode("JPEG", xmp=packet), "jpeg"))}
    assert found == {"an AI system", "Google AI", "Midjourney", "Draw Things"}


def test_iim_is_read_raw_and_in_resources(encode: Encode) -> None:
    block = iim(65, "Mochi Diffusion") + iim(40, TYPES + "trainedAlgorithmicMedia.")
    expected = {("iptc_iim", "Mochi Diffusion", True), ("iptc_iim", "trainedAlgorithmicMedia", True)}
    in_jpeg = jpeg_with(encode(), 0xED, b"Photoshop 3.0\0" + resources(block))
    assert claims(read_provenance(in_jpeg, "jpeg")) == expected
    assert claims(read_provenance(encode("TIFF", tiffinfo={33723: block}), "tiff")) == expected


def test_a_jpeg_comment_is_read(encode: Encode) -> None:
    assert claims(read_provenance(encode("JPEG", comment=A1111), "jpeg")) == {("exif", "Stable Diffusion web UI", True)}


@pytest.mark.parametrize("profile", ["exif", "xmp"])
def test_profiles_in_hexadecimal_are_read(profile: str, encode: Encode) -> None:
    content = exif(software="NovelAI") if profile == "exif" else xmp("", 'xmp:CreatorTool="NovelAI"')
    info = PngInfo()
    info.add_text(f"Raw profile type {profile}", f"\n{profile}\n{len(content):8}\n{content.hex()}\n", zip=True)
    found = claims(read_provenance(encode("PNG", pnginfo=info), "png"))
    assert found == {("exif" if profile == "exif" else "iptc_xmp", "NovelAI", True)}


@pytest.mark.parametrize("form", ["GIF", "AVIF", "JPEG", "WEBP"])
def test_a_packet_without_the_element_around_it_is_read(form: str, encode: Encode) -> None:
    whole = xmp("", f'e:DigitalSourceType="{TYPES}trainedAlgorithmicMedia"')
    packet = whole[whole.index(b"<rdf:RDF") : whole.index(b"</x:xmpmeta>")]
    data = encode(form, **({} if form == "GIF" else {"xmp": packet}))
    if form == "GIF":
        data = data[:-1] + b"!\xff\x0bXMP DataXMP" + packet + b"\1\0" + data[-1:]
    assert claims(read_provenance(data, form.lower())) == {("iptc_xmp", "trainedAlgorithmicMedia", True)}


def test_films_and_documents_are_scanned() -> None:
    film = b"\0\0\0\x18ftypmp42" + bytes(5000) + xmp("", f'e:DigitalSourceType="{TYPES}trainedAlgorithmicMedia"')
    assert claims(read_provenance(film, "mp4")) == {("iptc_xmp", "trainedAlgorithmicMedia", True)}
    assert read_provenance(b"%PDF-1.7" + bytes(5000), "pdf") == ()


@pytest.mark.parametrize(
    ("written", "term", "generative"),
    [
        (TYPES + "trainedAlgorithmicMedia", "trainedAlgorithmicMedia", True),
        ("https://cv.iptc.org/newscodes/digitalsourcetype/compositeSynthetic/", "compositeSynthetic", True),
        ("digsrctype:TrainedAlgorithmicMedia", "trainedAlgorithmicMedia", True),
        ("Trained Algorithmic Media", "trainedAlgorithmicMedia", True),
        ("http://c2pa.org/digitalsourcetype/trainedAlgorithmicData", "trainedAlgorithmicData", True),
        (TYPES + "algorithmicallyEnhanced", "algorithmicallyEnhanced", False),
        (TYPES + "somethingNew", "somethingNew", False),
        ("", "", False),
    ],
)
def test_a_source_type_is_known_however_written(written: str, term: str, generative: bool) -> None:
    assert source_type(written) == (term, generative)


def test_details_are_one_short_clean_line(encode: Encode) -> None:
    info = PngInfo()
    info.add_itxt("parameters", "\x1b[31m\u202ered\r\nSteps: 1, Sampler: x\0" + "z" * 500)
    (mark,) = read_provenance(encode("PNG", pnginfo=info), "png")
    assert len(mark.detail) <= 200
    assert mark.detail.isprintable()
    assert mark.detail.startswith("parameters: [31mred Steps: 1, Sampler: x")


def test_an_empty_or_cut_file_has_no_marks(encode: Encode) -> None:
    for form in ("JPEG", "PNG", "WEBP", "TIFF"):
        whole = encode(form, exif=exif(software="NovelAI"))
        for length in (0, 1, 8, 20, 33, 60, len(whole) - 1):
            read_provenance(whole[:length], form.lower())
    assert read_provenance(b"", "jpeg") == ()
    assert io.BytesIO(encode()).read(2) == b"\xff\xd8"
