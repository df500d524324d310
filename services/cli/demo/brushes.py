"""What the demo paints with: skies, noise, hills and lettering. Deterministic by seed."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

Colour = tuple[int, int, int]
SIZE = (900, 1200)


def sky(top: Colour, bottom: Colour, size: tuple[int, int] = SIZE) -> Image.Image:
    """A vertical gradient."""
    width, height = size
    t = np.linspace(0, 1, height)[:, None, None]
    rows = np.array(top) * (1 - t) + np.array(bottom) * t
    return Image.fromarray(np.broadcast_to(rows, (height, width, 3)).astype(np.uint8))


def noise(seed: int, size: tuple[int, int], octaves: int = 6, roughness: float = 0.55) -> NDArray[np.float64]:
    """Fractal value noise in 0..1, shape (height, width)."""
    rng = np.random.default_rng(seed)
    width, height = size
    total = np.zeros((height, width))
    for octave in range(octaves):
        cells = 2 ** (octave + 2)
        grid = Image.fromarray((rng.random((cells, cells)) * 255).astype(np.uint8))
        total += np.asarray(grid.resize(size, Image.Resampling.BICUBIC), dtype=np.float64) * roughness**octave
    total -= total.min()
    normed: NDArray[np.float64] = total / total.max()
    return normed


def toned(values: NDArray[np.float64], colours: Sequence[Colour]) -> Image.Image:
    """Maps 0..1 onto a ramp of colours."""
    at = np.linspace(0, 1, len(colours))
    ramp = np.array(colours, dtype=np.float64)
    channels = [np.interp(values, at, ramp[:, channel]) for channel in range(3)]
    return Image.fromarray(np.stack(channels, axis=-1).astype(np.uint8))


def ridge(image: Image.Image, seed: int, level: float, colour: Colour, rough: float = 0.12) -> None:
    """A line of hills at `level` (0 top, 1 bottom), filled to the foot of the picture."""
    width, height = image.size
    rng = np.random.default_rng(seed)
    points = np.array([0.0, 0.0])
    for step in range(8):
        middles = (points[:-1] + points[1:]) / 2 + rng.normal(0, rough / 1.8**step, len(points) - 1)
        points = np.insert(points, range(1, len(points)), middles)
    xs = np.linspace(0, width, len(points))
    line = [(float(x), float((level + y) * height)) for x, y in zip(xs, points, strict=True)]
    ImageDraw.Draw(image).polygon([*line, (width, height), (0, height)], fill=colour)


def lettering(image: Image.Image, text: str, at: tuple[float, float], size: int, colour: Colour) -> None:
    """Text centred at fractions of width and height, in Pillow's own typeface."""
    width, height = image.size
    font = ImageFont.load_default(size)
    ImageDraw.Draw(image).text((at[0] * width, at[1] * height), text, fill=colour, font=font, anchor="mm")


def grain(image: Image.Image, seed: int, strength: float = 6.0) -> Image.Image:
    """Film grain, so that nothing is perfectly flat."""
    rng = np.random.default_rng(seed)
    speckled = np.asarray(image, dtype=np.float64) + rng.normal(0, strength, (*image.size[::-1], 1))
    return Image.fromarray(speckled.clip(0, 255).astype(np.uint8))


def glow(image: Image.Image, centre: tuple[float, float], radius: float, colour: Colour) -> Image.Image:
    """A soft light around a point; `radius` as a fraction of the width."""
    width, height = image.size
    mask = Image.new("L", image.size)
    x, y, r = centre[0] * width, centre[1] * height, radius * width
    ImageDraw.Draw(mask).ellipse((x - r, y - r, x + r, y + r), fill=200)
    mask = mask.filter(ImageFilter.GaussianBlur(r * 0.45))
    return Image.composite(Image.new("RGB", image.size, colour), image, mask)
