"""Marks inside files, from the upload over HTTP to the verdict: golden case 13, and credentials signed here."""

import io
import socket
from typing import Any

import pytest
from PIL.PngImagePlugin import PngInfo

from tests.drawings import jpeg, photo
from tests.installation import MOOD_BOARD, Installation, team
from tests.unit.screening.provenance.signing import new_signer

pytestmark = pytest.mark.asyncio(loop_scope="session")
NO_GENAI = {"title": "Pier", "genai_used": "no", "use": "mood_board", "deliverable": "temporary"}


def rules(verdict: Any) -> set[str]:
    return {reason["rule"] for reason in verdict["reasons"]}


def generated_png() -> bytes:
    texts, out = PngInfo(), io.BytesIO()
    texts.add_text("parameters", "a pier\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1")
    photo(131).save(out, "PNG", pnginfo=texts)
    return out.getvalue()


async def test_case_13_a_generators_parameters_and_no_genai_declared(line: Installation) -> None:
    uma, _ = await team(line, "case13")
    asset = await uma.upload(generated_png(), NO_GENAI)
    verdict = await uma.decided(asset["id"])
    assert (verdict["outcome"], "S-UNDECLARED" in rules(verdict)) == ("escalate", True)
    (mark,) = [finding for finding in verdict["findings"] if finding["kind"] == "provenance"]
    assert (mark["source"], mark["claim"], mark["generative"]) == ("png_text", "Stable Diffusion web UI", True)
    truth = {"production": uma.production} | MOOD_BOARD
    await uma.ask("PUT", f"/assets/{asset['id']}/declaration", json=truth)
    amended = await uma.revised(asset["id"], 2)
    assert (amended["outcome"], amended["cause"], rules(amended)) == ("clear", "declaration_amended", {"M-LOW-1"})


async def test_a_credential_of_a_generator_counts_and_a_broken_one_is_told(line: Installation) -> None:
    uma, _ = await team(line, "credentials")
    signed = new_signer().sign(jpeg(photo(132)), "image/jpeg", "trainedAlgorithmicMedia")
    undeclared = await uma.screened(signed, NO_GENAI)
    assert (undeclared["outcome"], "S-UNDECLARED" in rules(undeclared)) == ("escalate", True)
    declared = await uma.screened(signed)
    assert (declared["outcome"], rules(declared)) == ("clear", {"M-LOW-1"})
    broken = bytearray(signed)
    broken[-900] ^= 1
    tampered = await uma.screened(bytes(broken))
    assert (tampered["outcome"], rules(tampered)) == ("caution", {"S-TAMPERED"})


async def test_an_upload_that_names_an_address_makes_nobody_ask_there(line: Installation) -> None:
    uma, _ = await team(line, "canary")
    with socket.create_server(("127.0.0.1", 0)) as canary:
        canary.setblocking(False)
        address = f"http://127.0.0.1:{canary.getsockname()[1]}/manifest.c2pa"
        remote = new_signer().sign(jpeg(photo(133)), "image/jpeg", "trainedAlgorithmicMedia", remote=address)
        verdict = await uma.screened(remote)
        with pytest.raises(BlockingIOError):
            canary.accept()
    (mark,) = verdict["findings"]
    assert (mark["source"], mark["trust"], mark["generative"]) == ("c2pa", "unresolved", False)
    assert verdict["outcome"] == "clear"
