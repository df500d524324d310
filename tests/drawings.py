"""Pictures drawn by code for tests: deterministic by seed, no fonts, no files. All return RGB images."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Size = tuple[int, int]


def poster(seed: int, size: Size = (480, 640)) -> Image.Image:
    """Flat shapes over a graded sky with rows of blocks that stand for lettering."""
    rng = np.random.default_rng((seed, 1))
    width, height = size
    image = _graded(rng, size)
    draw = ImageDraw.Draw(image)
    for _ in range(9):
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        reach = rng.uniform(0.08, 0.3) * min(size)
        colour = _colour(rng)
        box = (x - reach, y - reach * rng.uniform(0.5, 1.5), x + reach, y + reach * rng.uniform(0.5, 1.5))
        if rng.random() < 0.5:
            draw.ellipse(box, fill=colour)
        else:
            corners = [(x + rng.uniform(-1, 1) * reach * 1.6, y + rng.uniform(-1, 1) * reach * 1.6) for _ in range(4)]
            draw.polygon(corners, fill=colour)
    for line in range(3):
        _lettering(draw, rng, (width * 0.08, height * (0.72 + 0.09 * line)), width * 0.84, height * 0.05)
    return image


def photo(seed: int, size: Size = (640, 480)) -> Image.Image:
    """Clouds of noise at every scale, lit from one side, with fine texture: what a camera's picture is like."""
    rng = np.random.default_rng((seed, 2))
    width, height = size
    light = np.linspace(0.6, 1.1, width, dtype=np.float32)[None, :, None]
    grain = rng.integers(-10, 11, (height, width, 1), dtype=np.int8)
    pixels = _clouds(rng, size) * light + grain
    image = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    for _ in range(5):
        x, y, reach = rng.uniform(0, width), rng.uniform(0, height), rng.uniform(0.05, 0.16) * min(size)
        draw.ellipse((x - reach, y - reach, x + reach, y + reach), fill=_colour(rng), outline=_colour(rng), width=3)
    return image


def logo(seed: int, size: Size = (320, 320)) -> Image.Image:
    """A few solid shapes in two colours on white, symmetric in no axis."""
    rng = np.random.default_rng((seed, 3))
    width, height = size
    image = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(image)
    inks = [_colour(rng), _colour(rng)]
    for index in range(4):
        start = rng.uniform(0, 360)
        inset = 0.08 + 0.1 * index
        box = (width * inset, height * inset, width * (1 - inset), height * (1 - inset))
        draw.pieslice(box, start, start + rng.uniform(90, 250), fill=inks[index % 2])
    _lettering(draw, rng, (width * 0.1, height * 0.88), width * 0.8, height * 0.08)
    return image


def png(image: Image.Image) -> bytes:
    """The picture in a file, as it is."""
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def jpeg(image: Image.Image, quality: int = 85) -> bytes:
    """The picture in a file, with losses."""
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality)
    return out.getvalue()


def grey(image: Image.Image) -> NDArray[np.uint8]:
    """uint8 luma [H, W] of a picture."""
    return np.asarray(image.convert("L"))


def _colour(rng: np.random.Generator) -> tuple[int, int, int]:
    red, green, blue = (int(value) for value in rng.integers(0, 256, 3))
    return red, green, blue


def _graded(rng: np.random.Generator, size: Size) -> Image.Image:
    top, bottom = rng.integers(0, 256, (2, 3))
    share = np.linspace(0, 1, size[1])[:, None, None]
    return Image.fromarray(np.broadcast_to(top * (1 - share) + bottom * share, (size[1], size[0], 3)).astype(np.uint8))


def _clouds(rng: np.random.Generator, size: Size) -> NDArray[np.float32]:
    total = np.zeros((size[1], size[0], 3), np.float32)
    for cells, weight in ((3, 0.5), (7, 0.25), (17, 0.15), (43, 0.1)):
        grey = rng.integers(0, 256, (cells, cells, 1))
        tint = rng.integers(-60, 61, (cells, cells, 3))
        small = Image.fromarray(np.clip(grey + tint, 0, 255).astype(np.uint8))
        total += np.float32(weight) * np.asarray(small.resize(size, Image.Resampling.BICUBIC), np.float32)
    return total


def _lettering(
    draw: ImageDraw.ImageDraw, rng: np.random.Generator, at: tuple[float, float], width: float, height: float
) -> None:
    x, ink = at[0], _colour(rng)
    while x < at[0] + width:
        stroke = rng.uniform(0.2, 0.9) * height
        draw.rectangle((x, at[1], x + stroke, at[1] + height * rng.uniform(0.6, 1)), fill=ink)
        x += stroke + height * rng.uniform(0.15, 0.5)
