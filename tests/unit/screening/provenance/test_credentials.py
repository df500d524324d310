"""Content credentials, signed here: what is claimed, whom to trust, and what happens to broken and remote ones."""

import pytest

from services.screening.provenance.credentials import LARGEST_STORE, credential_marks, marks_of
from services.screening.provenance.marks import GAVE_UP, Mark
from services.screening.provenance.reader import read_provenance
from tests.unit.screening.provenance.signing import TYPES, Encode, Signer

FORMATS = {"jpeg": "JPEG", "png": "PNG", "webp": "WEBP", "tiff": "TIFF", "gif": "GIF", "avif": "AVIF"}


def facts(marks: tuple[Mark, ...]) -> set[tuple[str, str, bool]]:
    assert {mark.source for mark in marks} <= {"c2pa"}
    return {(mark.claim, mark.trust, mark.generative) for mark in marks}


@pytest.mark.parametrize("form", FORMATS)
def test_a_generated_file_says_so_in_every_format(form: str, encode: Encode, signer: Signer) -> None:
    signed = signer.sign(encode(FORMATS[form]), f"image/{form}", "trainedAlgorithmicMedia")
    assert facts(read_provenance(signed, form)) == {("trainedAlgorithmicMedia", "untrusted", True)}


def test_a_capture_is_reported_and_not_generative(encode: Encode, signer: Signer) -> None:
    (mark,) = read_provenance(signer.sign(encode(), "image/jpeg", "digitalCapture"), "jpeg")
    assert (mark.claim, mark.generative, mark.detail) == ("digitalCapture", False, "signed by Tests")


def test_a_known_root_makes_it_trusted(encode: Encode, signer: Signer) -> None:
    signed = signer.sign(encode(), "image/jpeg", "digitalCapture")
    found = tuple(credential_marks(signed, "jpeg", 1, signer.root))
    assert facts(found) == {("digitalCapture", "trusted", False)}


def test_a_claim_below_an_edit_counts(encode: Encode, signer: Signer) -> None:
    generated = signer.sign(encode("PNG"), "image/png", "compositeWithTrainedAlgorithmicMedia")
    edited = signer.edit(generated, "image/png")
    assert ("compositeWithTrainedAlgorithmicMedia", "untrusted", True) in facts(read_provenance(edited, "png"))
    trusted = facts(tuple(credential_marks(edited, "png", 1, signer.root)))
    assert ("compositeWithTrainedAlgorithmicMedia", "untrusted", True) in trusted
    assert "trusted" in {trust for _, trust, _ in trusted}


def test_an_agent_that_is_a_generator_counts(encode: Encode, signer: Signer) -> None:
    action = {"action": "c2pa.edited", "softwareAgent": {"name": "Adobe Firefly"}}
    created = {"action": "c2pa.created", "digitalSourceType": TYPES + "digitalCapture"}
    signed = signer._sign(encode(), "image/jpeg", [created, action])
    assert ("Adobe Firefly", "untrusted", True) in facts(read_provenance(signed, "jpeg"))


@pytest.mark.parametrize("where", ["picture", "claim", "box"])
def test_a_changed_file_is_tampered(where: str, encode: Encode, signer: Signer) -> None:
    signed = bytearray(signer.sign(encode(), "image/jpeg", "trainedAlgorithmicMedia"))
    at = {"picture": len(signed) - 900, "claim": signed.find(b"trainedAlgorithmic"), "box": signed.find(b"jumd") + 1}
    signed[at[where]] ^= 1
    found = read_provenance(bytes(signed), "jpeg")
    assert {mark.trust for mark in found} == {"tampered"}
    assert all(mark.detail for mark in found)
    assert any(mark.generative for mark in found) == (where != "claim")  # there the term itself was changed


def test_a_store_without_end_is_not_opened(encode: Encode) -> None:
    (mark,) = credential_marks(encode(), "jpeg", LARGEST_STORE + 1)
    assert (mark.claim, mark.generative, mark.trust) == (GAVE_UP, False, "unresolved")


def test_ordinary_files_have_no_marks(encode: Encode) -> None:
    for form, name in FORMATS.items():
        assert read_provenance(encode(name), form) == ()


@pytest.mark.parametrize(
    "report", [{}, {"manifests": {"a": None}}, {"manifests": {"a": {"assertions": "x"}}, "validation_status": [1, {}]}]
)
def test_a_report_of_another_shape_is_tampered(report: dict[str, object]) -> None:
    assert {(mark.trust, mark.generative) for mark in marks_of(report)} == {("tampered", False)}


def test_without_an_active_manifest_nothing_is_trusted_and_every_claim_counts() -> None:
    claim = {"assertions": [{"data": {"digitalSourceType": TYPES + "trainedAlgorithmicMedia"}}]}
    (mark,) = marks_of({"validation_state": "Trusted", "manifests": {"a": claim}})
    assert (mark.claim, mark.trust, mark.generative) == ("trainedAlgorithmicMedia", "untrusted", True)


def test_a_report_may_be_deep_and_wide() -> None:
    deep: object = {"digitalSourceType": TYPES + "trainedAlgorithmicMedia"}
    for _ in range(5000):
        deep = [deep]
    wide = {"assertions": [{"data": "x"}] * 100_000}
    found = list(marks_of({"validation_state": "Valid", "manifests": {"a": {"assertions": deep}, "b": wide}}))
    assert [mark.generative for mark in found] == [True, False]
