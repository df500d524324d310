"""Dead leaves: shapes of all sizes laid over one another, which has the edges and scales of natural pictures.

Model: Lee, Mumford, Huang, "Occlusion models for natural images", IJCV 2001.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

SMALLEST, LARGEST = 3.0, 160.0


def dead_leaves(seed: int, width: int = 512, height: int = 384) -> NDArray[np.uint8]:
    """uint8 luma, deterministic by seed."""
    rng = np.random.default_rng((seed, 9))
    image = Image.new("L", (width, height), 128)
    draw = ImageDraw.Draw(image)
    share = rng.uniform(size=int(rng.uniform(250, 1000)))
    radii = (LARGEST**-2 + share * (SMALLEST**-2 - LARGEST**-2)) ** -0.5  # density as radius ** -3
    for radius in radii:
        _leaf(draw, rng, (rng.uniform(-radius, width + radius), rng.uniform(-radius, height + radius)), radius)
    pixels = np.asarray(image, np.float64) * rng.uniform(0.3, 1) + 40
    pixels += _texture(rng, (height, width)) * rng.uniform(0, 15)
    pixels += rng.normal(0, rng.uniform(0, 1), (height, width))
    blurred = cv2.GaussianBlur(np.clip(pixels, 0, 255).astype(np.uint8), (0, 0), rng.uniform(0.4, 1.5))
    return np.asarray(blurred, np.uint8)


def _leaf(draw: ImageDraw.ImageDraw, rng: np.random.Generator, at: tuple[float, float], radius: float) -> None:
    x, y = at
    tone, flat, corners = int(rng.uniform(0, 256)), rng.uniform(0.3, 1), int(rng.integers(2, 5))
    if corners == 2:
        draw.ellipse((x - radius, y - radius * flat, x + radius, y + radius * flat), fill=tone)
        return
    angles = np.sort(rng.uniform(0, 2 * np.pi, corners))
    draw.polygon([(x + radius * np.cos(a), y + radius * flat * np.sin(a)) for a in angles], fill=tone)


def _texture(rng: np.random.Generator, shape: tuple[int, int]) -> NDArray[np.float64]:
    """Noise of unit variance whose strength falls with frequency."""
    frequency = np.hypot(np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None, :])
    frequency[0, 0] = 1
    texture = np.fft.irfft2(np.fft.rfft2(rng.normal(size=shape)) / frequency**1.3, s=shape)
    return np.asarray(texture / texture.std())
