"""Colour profiles for files that are coded unlike sRGB."""

from PIL import ImageCms


def swapped_primaries() -> bytes:
    """sRGB whose primaries are permuted: red is coded in green, green in blue, blue in red."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = int.from_bytes(profile[128:132], "big")
    tags = {bytes(profile[at : at + 4]): at for at in range(132, 132 + 12 * count, 12)}
    places = {name: bytes(profile[tags[name] + 4 : tags[name] + 12]) for name in (b"rXYZ", b"gXYZ", b"bXYZ")}
    for name, other in ((b"rXYZ", b"bXYZ"), (b"gXYZ", b"rXYZ"), (b"bXYZ", b"gXYZ")):
        profile[tags[name] + 4 : tags[name] + 12] = places[other]
    return bytes(profile)
