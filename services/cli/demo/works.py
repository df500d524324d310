"""Twelve protected works, each drawn here: posters, photographs as it were, a character, a logo."""

import math
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw

from services.cli.demo.brushes import SIZE, glow, grain, lettering, noise, ridge, sky, toned

Draw = Callable[[], Image.Image]


def harbour() -> Image.Image:
    """Evening over a harbour, with a lighthouse and boats."""
    image = glow(sky((38, 30, 74), (246, 146, 96)), (0.62, 0.46), 0.22, (255, 224, 168))
    ridge(image, 11, 0.50, (84, 52, 92))
    ridge(image, 12, 0.58, (52, 36, 72), 0.07)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 760, 900, 1200), fill=(40, 44, 92))
    for row in range(70):
        y, shift = 765 + row * 6, 34 * math.sin(row * 1.7)
        draw.line(
            (500 - row * 2 + shift, y, 620 + row * 2 + shift, y), fill=(250, 176 - row, 110 + row), width=2 + row // 22
        )
    draw.polygon([(150, 770), (168, 430), (212, 430), (230, 770)], fill=(236, 230, 220))
    for stripe in range(3):
        draw.rectangle((152 + 6 * stripe, 680 - 90 * stripe, 228 - 6 * stripe, 720 - 90 * stripe), fill=(190, 60, 54))
    draw.rectangle((170, 392, 210, 430), fill=(255, 236, 150))
    for x, y, scale in ((420, 850, 1.0), (680, 930, 1.5), (300, 1010, 1.9)):
        draw.polygon(
            [(x, y), (x + 90 * scale, y), (x + 70 * scale, y + 24 * scale), (x + 16 * scale, y + 24 * scale)],
            fill=(24, 18, 34),
        )
        draw.polygon(
            [(x + 40 * scale, y - 96 * scale), (x + 40 * scale, y - 6), (x + 84 * scale, y - 6)], fill=(232, 210, 196)
        )
    return grain(image, 1)


def clockmaker() -> Image.Image:
    """A film poster: a clock among gears."""
    image = grain(sky((20, 46, 52), (8, 16, 22)), 2, 9)
    draw = ImageDraw.Draw(image)
    for x, y, radius, teeth, colour in (
        (190, 250, 150, 18, (96, 72, 38)),
        (720, 330, 190, 24, (122, 90, 44)),
        (240, 860, 210, 28, (84, 64, 36)),
        (740, 880, 120, 14, (140, 106, 54)),
    ):
        _gear(draw, x, y, radius, teeth, colour)
    draw.ellipse((190, 330, 710, 850), fill=(228, 212, 176), outline=(60, 42, 20), width=22)
    for hour in range(12):
        angle = math.tau * hour / 12
        inner, outer = (196, 226) if hour % 3 else (176, 228)
        draw.line(
            (
                450 + inner * math.sin(angle),
                590 - inner * math.cos(angle),
                450 + outer * math.sin(angle),
                590 - outer * math.cos(angle),
            ),
            fill=(40, 28, 18),
            width=9,
        )
    draw.line((450, 590, 340, 500), fill=(30, 20, 14), width=16)
    draw.line((450, 590, 520, 400), fill=(160, 40, 30), width=9)
    lettering(image, "THE CLOCKMAKER", (0.5, 0.90), 84, (232, 208, 150))
    lettering(image, "TIME OWES HIM ONE LAST HOUR", (0.5, 0.955), 30, (150, 170, 164))
    return image


def _gear(
    draw: ImageDraw.ImageDraw, x: float, y: float, radius: float, teeth: int, colour: tuple[int, int, int]
) -> None:
    outline = []
    for step in range(teeth * 4):
        reach = radius if step % 4 < 2 else radius * 0.84
        angle = math.tau * step / (teeth * 4)
        outline.append((x + reach * math.cos(angle), y + reach * math.sin(angle)))
    draw.polygon(outline, fill=colour)
    hole = radius * 0.42
    draw.ellipse((x - hole, y - hole, x + hole, y + hole), fill=(14, 30, 36))


def night_train() -> Image.Image:
    """A railway poster in the manner of the thirties."""
    image = sky((12, 18, 60), (210, 96, 60))
    draw = ImageDraw.Draw(image)
    for ray in range(-12, 13, 2):
        draw.polygon([(620, 560), (620 + ray * 130, -200), (620 + (ray + 1) * 130, -200)], fill=(34, 36, 96))
    ridge(image, 31, 0.46, (24, 22, 56), 0.2)
    draw.polygon([(0, 1200), (900, 1200), (660, 560), (580, 560)], fill=(50, 38, 40))
    for sleeper in range(14):
        t = (sleeper / 14) ** 2
        y, half = 560 + 640 * t, 30 + 330 * t
        draw.line((610 - 160 * t - half, y, 630 - 140 * t + half, y), fill=(98, 74, 58), width=int(4 + 26 * t))
    draw.polygon([(90, 1020), (90, 640), (520, 500), (640, 540), (640, 760), (520, 1000)], fill=(126, 28, 36))
    draw.polygon([(520, 500), (640, 540), (640, 760), (520, 1000)], fill=(176, 46, 46))
    for window in range(5):
        x = 120 + window * 78
        draw.polygon(
            [(x, 700 - window * 22), (x + 54, 684 - window * 22), (x + 54, 770 - window * 20), (x, 790 - window * 20)],
            fill=(255, 220, 130),
        )
    draw.ellipse((548, 640, 616, 708), fill=(255, 244, 190))
    lettering(image, "NIGHT TRAIN", (0.5, 0.08), 112, (252, 230, 190))
    lettering(image, "LISBON  -  VIENNA  -  ODESSA", (0.5, 0.155), 40, (244, 170, 110))
    return grain(image, 3)


def facets() -> Image.Image:
    """A mountain in facets, like folded paper."""
    rng = np.random.default_rng(4)
    image = Image.new("RGB", SIZE)
    draw = ImageDraw.Draw(image)
    columns, rows = 10, 13
    jitter = rng.uniform(-32, 32, (rows + 1, columns + 1, 2))
    spots = [
        [(c * 90 + jitter[r, c, 0], r * 93 + jitter[r, c, 1]) for c in range(columns + 1)] for r in range(rows + 1)
    ]
    for r in range(rows):
        for c in range(columns):
            a, b, d, e = spots[r][c], spots[r][c + 1], spots[r + 1][c], spots[r + 1][c + 1]
            for triangle in ([a, b, d], [b, e, d]):
                draw.polygon([*triangle], fill=_facet(triangle, rng))
    return grain(image, 4, 3)


def _facet(triangle: list[tuple[float, float]], rng: np.random.Generator) -> tuple[int, int, int]:
    x, y = (sum(point[axis] for point in triangle) / 3 for axis in (0, 1))
    inside = abs(x - 450) < (y - 240) * 0.62
    light = (0.62 if x < 450 else 1.0) * rng.uniform(0.78, 1.12)
    base = (232, 238, 244) if inside and y < 460 else (92, 118, 148) if inside else (244, 172, 120)
    return tuple(min(255, int(channel * light)) for channel in base)  # type: ignore[return-value]  # three channels stay three


def robot() -> Image.Image:
    """A character design: a small robot, front view."""
    image = grain(sky((236, 226, 206), (216, 198, 170)), 5, 4)
    draw = ImageDraw.Draw(image)
    for line in range(0, 1200, 40):
        draw.line((0, line, 900, line), fill=(206, 194, 172))
    draw.rounded_rectangle((250, 250, 650, 560), 90, fill=(70, 140, 150), outline=(24, 44, 54), width=12)
    for x in (350, 550):
        draw.ellipse((x - 66, 330, x + 66, 462), fill=(250, 246, 230), outline=(24, 44, 54), width=10)
        draw.ellipse((x - 24, 372, x + 40, 436), fill=(220, 88, 48))
    draw.line((450, 250, 490, 120), fill=(24, 44, 54), width=12)
    draw.ellipse((462, 84, 520, 142), fill=(240, 180, 50), outline=(24, 44, 54), width=8)
    draw.rounded_rectangle((300, 590, 600, 930), 50, fill=(226, 160, 60), outline=(24, 44, 54), width=12)
    for bolt in range(3):
        draw.ellipse((330 + bolt * 90, 640, 370 + bolt * 90, 680), fill=(120, 50, 40))
    draw.arc((340, 720, 560, 880), 20, 160, fill=(24, 44, 54), width=12)
    for side, x in ((-1, 300), (1, 600)):
        draw.line((x, 650, x + side * 130, 800, x + side * 90, 930), fill=(70, 140, 150), width=44, joint="curve")
        draw.line((450 + side * 80, 930, 450 + side * 80, 1080), fill=(70, 140, 150), width=56)
        draw.rounded_rectangle((450 + side * 80 - 70, 1060, 450 + side * 80 + 70, 1120), 26, fill=(24, 44, 54))
    lettering(image, "PIM - front, neutral", (0.3, 0.06), 40, (90, 70, 50))
    return image


def logo() -> Image.Image:
    """A distributor's mark."""
    image = Image.new("RGB", (1000, 700), (250, 248, 242))
    draw = ImageDraw.Draw(image)
    for ring, colour in enumerate(((22, 40, 90), (250, 248, 242), (200, 60, 50), (250, 248, 242), (22, 40, 90))):
        radius = 230 - ring * 44
        draw.ellipse((330 - radius, 300 - radius, 330 + radius, 300 + radius), fill=colour)
    for bar in range(7):
        draw.rectangle(
            (330 + bar * 76, 200 + bar * 18, 380 + bar * 76, 400 - bar * 4),
            fill=(22, 40, 90) if bar % 2 else (200, 60, 50),
        )
    lettering(image, "MERIDIAN PICTURES", (0.5, 0.86), 92, (22, 40, 90))
    return image


def sound() -> Image.Image:
    """An abstract print of swinging curves."""
    image = grain(sky((246, 240, 228), (226, 214, 196)), 7, 3)
    draw = ImageDraw.Draw(image)
    for curve in range(26):
        t = np.linspace(0, math.tau, 500)
        x = 450 + (360 - curve * 8) * np.sin(3 * t + curve * 0.11)
        y = 600 + (520 - curve * 12) * np.sin(4 * t + curve * 0.07)
        colour = (30 + curve * 7, 60 + curve * 2, 140 - curve * 4)
        draw.line([*zip(x.tolist(), y.tolist(), strict=True)], fill=colour, width=4)
    return image


def botanica() -> Image.Image:
    """A plate of leaves."""
    rng = np.random.default_rng(8)
    image = grain(sky((18, 52, 46), (10, 30, 30)), 8, 4)
    draw = ImageDraw.Draw(image)
    for _ in range(46):
        x, y, length, angle = (
            rng.uniform(40, 860),
            rng.uniform(60, 1150),
            rng.uniform(90, 230),
            rng.uniform(0, math.tau),
        )
        _leaf(
            draw,
            (x, y),
            length,
            angle,
            (int(rng.uniform(40, 180)), int(rng.uniform(110, 200)), int(rng.uniform(60, 110))),
        )
    return image


def _leaf(
    draw: ImageDraw.ImageDraw, foot: tuple[float, float], length: float, angle: float, colour: tuple[int, int, int]
) -> None:
    t = np.linspace(0, 1, 24)
    half = 0.26 * length * np.sin(math.pi * t) * (1 - 0.35 * t)
    along, across = np.array([math.cos(angle), math.sin(angle)]), np.array([-math.sin(angle), math.cos(angle)])
    spine = np.array(foot) + np.outer(t * length, along)
    edge = np.concatenate([spine + np.outer(half, across), (spine - np.outer(half, across))[::-1]])
    draw.polygon([(float(x), float(y)) for x, y in edge], fill=colour, outline=(8, 24, 22))
    draw.line([(float(x), float(y)) for x, y in spine], fill=(8, 24, 22), width=3)


def windows() -> Image.Image:
    """A city at night, all windows."""
    rng = np.random.default_rng(9)
    image = glow(sky((16, 20, 54), (120, 60, 110)), (0.78, 0.16), 0.1, (250, 246, 220))
    draw = ImageDraw.Draw(image)
    for depth, shade in ((0, 60), (1, 40), (2, 22)):
        x = -40
        while x < 900:
            width, top = int(rng.uniform(90, 190)), int(rng.uniform(260, 620) + depth * 130)
            draw.rectangle((x, top, x + width, 1200), fill=(shade, shade, shade + 24))
            _lights(draw, rng, (x, top, x + width, 1200))
            x += width + int(rng.uniform(0, 22))
    return grain(image, 9, 3)


def _lights(draw: ImageDraw.ImageDraw, rng: np.random.Generator, box: tuple[int, int, int, int]) -> None:
    for wx in range(box[0] + 12, box[2] - 20, 28):
        for wy in range(box[1] + 16, box[3], 36):
            if rng.random() < 0.45:
                draw.rectangle(
                    (wx, wy, wx + 15, wy + 20), fill=(250, int(rng.uniform(170, 230)), int(rng.uniform(80, 150)))
                )


def dunes() -> Image.Image:
    """As if photographed: dunes in low light."""
    height = noise(10, (1200, 900), 7, 0.5) + 0.25 * np.sin(np.linspace(0, 26, 1200))[None, :]
    slope = np.gradient(height, axis=1) * 42 + np.gradient(height, axis=0) * 18
    return grain(
        toned((slope + 0.5).clip(0, 1), ((58, 32, 28), (166, 96, 58), (236, 182, 120), (255, 236, 200))), 10, 5
    )


def tidal() -> Image.Image:
    """As if photographed: surf from above."""
    water = noise(21, (1200, 900), 7, 0.62)
    bands = (np.sin(water * 22 + np.linspace(0, 9, 900)[:, None]) + 1) / 2
    return grain(
        toned((0.65 * bands + 0.35 * water), ((6, 40, 66), (18, 104, 128), (110, 184, 188), (244, 250, 246))), 11, 5
    )


def astronomer() -> Image.Image:
    """An engraving of the sky."""
    rng = np.random.default_rng(12)
    image = toned(noise(12, SIZE, 5) * 0.8, ((8, 10, 34), (26, 28, 80), (70, 50, 110)))
    draw = ImageDraw.Draw(image)
    draw.ellipse((520, 120, 820, 420), fill=(226, 220, 200))
    for _ in range(26):
        angle, reach, radius = rng.uniform(0, math.tau), rng.uniform(0, 120), rng.uniform(6, 24)
        x, y = 670 + reach * math.cos(angle), 270 + reach * math.sin(angle)
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(190, 182, 160), outline=(150, 140, 120))
    stars = rng.uniform((60, 80), (840, 1140), (60, 2))
    for x, y in stars:
        radius = rng.uniform(2, 7)
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(255, 248, 220))
    for first, second in zip(stars[:30:2], stars[1:30:2], strict=True):
        draw.line((*first, *second), fill=(170, 160, 210), width=2)
    return grain(image, 12, 4)


WORKS: dict[str, tuple[str, str, Draw]] = {
    "harbour": ("Harbour at Dusk", "artwork", harbour),
    "clockmaker": ("The Clockmaker (one-sheet)", "poster", clockmaker),
    "night-train": ("Night Train", "poster", night_train),
    "facets": ("Folded Mountain", "artwork", facets),
    "robot": ("Pim, front view", "character design", robot),
    "logo": ("Meridian Pictures", "logo", logo),
    "sound": ("Cathedral of Sound", "artwork", sound),
    "botanica": ("Botanica No. 4", "artwork", botanica),
    "windows": ("City of Windows", "artwork", windows),
    "dunes": ("Dunes, low light", "photograph", dunes),
    "tidal": ("Tidal", "photograph", tidal),
    "astronomer": ("The Astronomer", "artwork", astronomer),
}
"""Name -> (title, label, how to draw it)."""
