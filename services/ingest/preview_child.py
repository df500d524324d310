"""Makes one preview in a process of its own: `preview_child.py <file> <pixels> <bytes of memory> <seconds of CPU>`.

The JPEG goes to standard output. Exit code 3 says: it cannot be shown, with the reason on standard error. Run by path
and isolated, so it imports nothing of ours.
"""

import sys
import warnings

EXIT_REASON = 3
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "AVIF")
_MOST_PIXELS = 50_000_000
_LONGEST_SIDE = 30_000


def main() -> None:
    """Limits first, then the decoder."""
    path, pixels, memory, seconds = sys.argv[1], *map(int, sys.argv[2:5])
    _limit(memory, seconds)
    try:
        data = _preview(path, pixels)
    except MemoryError:
        _refuse("resource_limit")
    except Exception as error:  # noqa: BLE001 - decoders raise ten different types on hostile files
        _refuse("too_many_pixels" if "pixels" in str(error) else "unreadable")
    sys.stdout.buffer.write(data)


def _limit(memory: int, seconds: int) -> None:
    try:
        import resource
    except ImportError:  # Windows keeps the wall-clock limit of the parent
        return
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _preview(path: str, pixels: int) -> bytes:
    from io import BytesIO

    from PIL import Image, ImageOps

    warnings.simplefilter("error", Image.DecompressionBombWarning)
    Image.MAX_IMAGE_PIXELS = _MOST_PIXELS
    with Image.open(path, formats=_FORMATS) as opened:
        if max(opened.size) > _LONGEST_SIDE or opened.width * opened.height > _MOST_PIXELS:
            raise ValueError("too many pixels")
        opened.draft("RGB", (pixels, pixels))
        picture: Image.Image = ImageOps.exif_transpose(opened)
    if picture.mode.startswith("I"):  # 16 bits a pixel: scaled, not clipped
        picture = picture.point(lambda value: value / 256).convert("L")
    picture.thumbnail((pixels, pixels))
    # Without transparency, and without any metadata.
    rgba, out = picture.convert("RGBA"), BytesIO()
    white = Image.new("RGB", rgba.size, "white")
    white.paste(rgba, mask=rgba.getchannel("A"))
    white.save(out, "JPEG", quality=85)
    return out.getvalue()


def _refuse(reason: str) -> None:
    sys.stderr.write(reason)
    sys.exit(EXIT_REASON)


if __name__ == "__main__":
    main()
