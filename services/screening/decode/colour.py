"""ICC profiles and PNG gamma, brought to sRGB: a coded curve must not hide a picture."""

from __future__ import annotations

import io
from functools import lru_cache

from PIL import Image, ImageCms

_SRGB_GAMMA = 1 / 2.2
_PROBE_STEPS = (0, 36, 73, 109, 146, 182, 219, 255)
_BASE = {"1": "L", "P": "RGB", "PA": "RGB", "LA": "L", "La": "L", "RGBA": "RGB", "RGBa": "RGB", "RGBX": "RGB"}


def needs_conversion(image: Image.Image) -> bool:
    """Whether the profile or gamma moves colours visibly; most profiles are sRGB under another name."""
    return _transform_of(image) is not None or _curve_of(image) is not None


def to_srgb(image: Image.Image) -> Image.Image:
    """The picture (alpha dropped) in sRGB as `L` or `RGB`; unreadable profiles are ignored, as viewers do."""
    base = image.convert(_base(image.mode)) if _base(image.mode) != image.mode else image
    transform, curve = _transform_of(image), _curve_of(image)
    if transform is not None:
        converted = ImageCms.applyTransform(base, transform)
        return converted if converted is not None else base
    return base.point(list(curve) * len(base.getbands())) if curve is not None and base.mode in ("L", "RGB") else base


def _base(mode: str) -> str:
    return _BASE.get(mode, mode)


def _transform_of(image: Image.Image) -> ImageCms.ImageCmsTransform | None:
    profile = image.info.get("icc_profile")
    mode = _base(image.mode)
    if not isinstance(profile, bytes) or not profile or mode not in ("L", "RGB", "CMYK", "LAB"):
        return None
    return _transform(profile, mode)


@lru_cache(maxsize=32)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """None when the profile is unreadable, of another colour space, or moves no probe by more than 3 of 255."""
    target = "L" if mode == "L" else "RGB"
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None
    if mode in ("CMYK", "LAB"):
        return transform
    probe = _probe(mode)
    moved = ImageCms.applyTransform(probe, transform)
    if moved is None:
        return None
    before, after = probe.convert("RGB").tobytes(), moved.tobytes()
    identical = target in ("L", "RGB") and all(abs(a - b) <= 3 for a, b in zip(before, after, strict=True))
    return None if identical else transform


def _probe(mode: str) -> Image.Image:
    steps = _PROBE_STEPS
    if mode == "L":
        return Image.frombytes("L", (len(steps), 1), bytes(steps))
    colours = bytes(value for r in steps for g in steps for b in steps for value in (r, g, b))
    return Image.frombytes("RGB", (len(steps) ** 3, 1), colours)


def _curve_of(image: Image.Image) -> tuple[int, ...] | None:
    gamma = image.info.get("gamma")
    if not isinstance(gamma, int | float) or "srgb" in image.info or image.info.get("icc_profile"):
        return None
    if not 0.02 < gamma < 5 or abs(gamma - _SRGB_GAMMA) < 0.02:
        return None
    exponent = _SRGB_GAMMA / gamma
    return tuple(round(255 * (value / 255) ** exponent) for value in range(256))
