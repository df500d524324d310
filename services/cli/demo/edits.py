"""What partners upload: pictures of their own, and protected works that were changed on the way."""

import io
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageOps
from PIL.PngImagePlugin import PngInfo

from services.cli.demo import works
from services.cli.demo.brushes import SIZE, glow, grain, lettering, noise, ridge, sky, toned

Bytes = bytes
Draw = Callable[[], Image.Image]
Make = Callable[[], Bytes]


def jpeg(draw: Draw, *, quality: int = 88, **changes: Any) -> Make:
    """The picture as JPEG; see `_changed` for what may be done to it."""
    return lambda: _encoded(_changed(draw(), **changes), "JPEG", quality=quality)


def png(draw: Draw, **changes: Any) -> Make:
    """The picture as PNG."""
    return lambda: _encoded(_changed(draw(), **changes), "PNG")


def webp(draw: Draw, **changes: Any) -> Make:
    """The picture as WebP."""
    return lambda: _encoded(_changed(draw(), **changes), "WEBP", quality=80)


def generated_png(draw: Draw) -> Make:
    """The picture as a generator saves it: its parameters beside it, as a text of the PNG."""
    texts = PngInfo()
    texts.add_text("parameters", "piers at night, film still\nSteps: 28, Sampler: Euler a, CFG scale: 7, Seed: 4711")
    return lambda: _encoded(draw(), "PNG", pnginfo=texts)


def cut(make: Make) -> Make:
    """Only the first half of the file arrived."""

    def half() -> Bytes:
        whole = make()
        return whole[: len(whole) // 2]

    return half


def _changed(image: Image.Image, *, scale: float = 1.0, mirrored: bool = False, turned: int = 0) -> Image.Image:
    if scale != 1.0:
        image = ImageOps.scale(image, scale)
    if mirrored:
        image = ImageOps.mirror(image)
    return image.rotate(turned, expand=True) if turned else image


def _encoded(image: Image.Image, form: str, **options: Any) -> Bytes:
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def mirrored_crop() -> Image.Image:
    """The middle of a protected work, mirrored."""
    return ImageOps.mirror(works.night_train().crop((150, 250, 750, 900)))


def poster_in_a_scene() -> Image.Image:
    """A corridor with a protected poster on its wall, a little askew."""
    scene = corridor().resize((1600, 1100))
    poster = works.clockmaker().resize((330, 440)).rotate(4, expand=True, fillcolor=(30, 34, 42))
    scene.paste(poster, (1010, 290))
    return scene


def collage() -> Image.Image:
    """Three protected works pinned beside each other."""
    wall = grain(Image.new("RGB", (1500, 1000), (120, 112, 104)), 114, 9)
    for place, draw in enumerate((works.harbour, works.windows, works.robot)):
        work = draw()
        work.thumbnail((480, 640))
        wall.paste(work, (20 + place * 490, 120))
    return wall


def lagoon() -> Image.Image:
    """Green water under cliffs."""
    image = sky((150, 214, 226), (246, 238, 214), (1280, 800))
    ridge(image, 101, 0.30, (96, 126, 120), 0.3)
    ridge(image, 102, 0.52, (54, 92, 84), 0.2)
    ridge(image, 103, 0.72, (28, 130, 128), 0.03)
    return grain(image, 101)


def stage_floor() -> Image.Image:
    """A stage floor with lamps and a marked track."""
    image = glow(
        glow(sky((26, 26, 30), (88, 82, 76), (1280, 860)), (0.25, 0.2), 0.12, (255, 240, 200)),
        (0.7, 0.3),
        0.1,
        (200, 220, 255),
    )
    draw = ImageDraw.Draw(image)
    for line in range(9):
        draw.line((640, 330, line * 160, 860), fill=(60, 56, 52), width=4)
    draw.rectangle((860, 480, 1080, 760), fill=(40, 60, 46), outline=(20, 20, 20), width=8)
    draw.line((120, 800, 760, 560, 1240, 700), fill=(230, 200, 60), width=9)
    return grain(image, 102, 9)


def sign() -> Image.Image:
    """A street sign at night."""
    image = glow(sky((10, 12, 26), (46, 30, 50), (1000, 760)), (0.5, 0.42), 0.26, (240, 90, 140))
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((190, 190, 810, 450), 40, outline=(255, 170, 210), width=14)
    lettering(image, "CAFE LUNA", (0.5, 0.42), 120, (255, 226, 240))
    for brick in range(0, 1000, 60):
        draw.line((brick, 560, brick + 20, 760), fill=(70, 40, 46), width=5)
    return grain(image, 103, 8)


def corridor() -> Image.Image:
    """A corridor in one-point perspective."""
    image = Image.new("RGB", (1100, 800), (22, 24, 30))
    draw = ImageDraw.Draw(image)
    for depth in range(9, 0, -1):
        shade, w, h = 30 + 20 * (9 - depth), 60 * depth, 42 * depth
        draw.rectangle((550 - w, 390 - h, 550 + w, 390 + h), outline=(shade, shade + 8, shade + 22), width=9)
        draw.rectangle((550 - w // 4, 390 - h, 550 + w // 4, 390 - h + 6 + depth), fill=(220, 236, 240))
    return grain(image, 104, 7)


def nebula() -> Image.Image:
    """Clouds of colour."""
    return grain(
        toned(noise(105, (900, 700), 7, 0.6), ((8, 4, 30), (80, 20, 100), (220, 80, 110), (255, 220, 170))), 105, 4
    )


def storyboard() -> Image.Image:
    """Six panels in pencil."""
    rng = np.random.default_rng(106)
    image = grain(Image.new("RGB", (1200, 850), (244, 240, 230)), 106, 4)
    draw = ImageDraw.Draw(image)
    for panel in range(6):
        x, y = 40 + panel % 3 * 385, 40 + panel // 3 * 400
        draw.rectangle((x, y, x + 350, y + 300), outline=(60, 60, 64), width=5)
        for _ in range(26):
            points = [(x + float(rng.uniform(10, 340)), y + float(rng.uniform(10, 290))) for _ in range(3)]
            draw.line(points, fill=(90, 90, 96), width=3)
    return image


def canyon() -> Image.Image:
    """Red rock in layers."""
    image = sky((96, 160, 220), (250, 220, 180), (1300, 870))
    for layer, colour in enumerate(((190, 110, 80), (160, 78, 52), (122, 52, 38), (80, 32, 28))):
        ridge(image, 107 + layer, 0.34 + 0.16 * layer, colour, 0.18)
    return grain(image, 107, 7)


def portrait() -> Image.Image:
    """A face, as plainly as this demo may."""
    image = glow(sky((60, 70, 84), (24, 26, 32), (800, 1000)), (0.5, 0.4), 0.34, (120, 130, 146))
    draw = ImageDraw.Draw(image)
    draw.ellipse((230, 180, 570, 640), fill=(206, 160, 134))
    draw.chord((214, 150, 586, 470), 180, 360, fill=(60, 38, 30))
    for x in (320, 480):
        draw.ellipse((x - 32, 370, x + 32, 404), fill=(244, 240, 236))
        draw.ellipse((x - 13, 372, x + 13, 402), fill=(50, 76, 60))
    draw.line((400, 400, 384, 486, 410, 492), fill=(160, 110, 90), width=6)
    draw.arc((340, 500, 460, 570), 20, 160, fill=(150, 60, 60), width=9)
    draw.polygon([(130, 1000), (240, 690), (400, 760), (560, 690), (670, 1000)], fill=(36, 52, 90))
    return grain(image, 111, 6)


def orchard() -> Image.Image:
    """Rows of trees."""
    rng = np.random.default_rng(112)
    image = sky((170, 210, 236), (130, 160, 80), (1100, 800))
    draw = ImageDraw.Draw(image)
    for row in range(6):
        for tree in range(5 + row):
            x, y, r = tree * 1100 / (4 + row) + rng.uniform(-20, 20), 300 + row * 85, 26 + row * 11
            draw.line((x, y, x, y + r * 1.6), fill=(80, 56, 40), width=5 + row)
            draw.ellipse((x - r, y - r, x + r, y + r), fill=(40 + row * 9, 100 + int(rng.uniform(0, 40)), 46))
    return grain(image, 112, 6)


def garden() -> Image.Image:
    """A walled garden seen from above, as an illustration."""
    image = grain(sky((224, 206, 168), (196, 170, 128), SIZE), 113, 4)
    draw = ImageDraw.Draw(image)
    draw.rectangle((70, 90, 830, 1110), outline=(120, 70, 50), width=34)
    for ring in range(6, 0, -1):
        r, shade = ring * 56, 60 + ring * 18
        draw.ellipse(
            (450 - r, 600 - r, 450 + r, 600 + r),
            fill=(shade // 2, shade, 50 + ring * 5),
            outline=(240, 230, 200),
            width=6,
        )
    for bed in range(16):
        angle = math.tau * bed / 16
        x, y = 450 + 300 * math.cos(angle), 600 + 420 * math.sin(angle)
        colour = ((200, 60, 80), (240, 190, 60), (120, 80, 170), (230, 120, 60))[bed % 4]
        draw.regular_polygon((x, y, 46), 5 + bed % 3, fill=colour, outline=(60, 40, 30))
    return image
