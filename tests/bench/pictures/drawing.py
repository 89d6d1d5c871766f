"""Pictures of digits as people make them: the ink of a digit, its background, and PNG files."""
import struct
import zlib

import numpy as np

SIDE = 160


def write_png(path, image, kind="grey"):
    """Greys [height, width] or channels [height, width, 2 to 4], 0 to 255, clipped and rounded."""
    def chunk(name, data):
        body = name + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    image = np.clip(np.rint(image), 0, 255).astype(np.uint8)
    height, width = image.shape[:2]
    depth, color = {"grey": (8, 0), "grey16": (16, 0), "bit": (1, 0), "4 bits": (4, 0), "rgb": (8, 2), "rgb16": (16, 2),
                    "palette": (8, 3), "grey alpha": (8, 4), "rgba": (8, 6), "rgba16": (16, 6)}[kind]
    if depth == 16:
        rows = [(row.astype(">u2") * 257).astype(">u2").tobytes() for row in image]
    elif depth == 4:
        image = np.pad(image, ((0, 0), (0, width % 2))) >> 4
        rows = [(row[::2] << 4 | row[1::2]).tobytes() for row in image]
    elif depth == 1:
        rows = [np.packbits(row > 127).tobytes() for row in image]
    else:
        rows = [row.tobytes() for row in image]
    colors = bytes(v for i in range(256) for v in (255 - i, 255 - i // 2, 255))
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0))
        + (chunk(b"PLTE", colors) if kind == "palette" else b"")
        + chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows), 1)) + chunk(b"IEND", b""))


# Ink: the inked share of each pixel, 0 to 1.

def resized(digit, height, width):
    """Resizes the digit, bilinear between the centres of pixels."""
    padded = np.pad(digit / 255.0, 1)

    def between(size):
        at = np.clip((np.arange(size) + 0.5) * 28 / size + 0.5, 0, 28.999)
        return at.astype(int), at - at.astype(int)

    (low, part), (left, share) = between(height), between(width)
    rows = padded[low] * (1 - part)[:, None] + padded[low + 1] * part[:, None]
    return rows[:, left] * (1 - share) + rows[:, left + 1] * share


def enlarged(digit, scale):
    """Enlarges the digit, with edges as sharp as a pen's."""
    return np.clip((resized(digit, int(28 * scale), int(28 * scale)) - 0.25) * 2, 0, 1)


def placed(cover, height, width, top, left):
    page = np.zeros((height, width))
    page[top : top + cover.shape[0], left : left + cover.shape[1]] = cover
    return page


def page(digit):
    return placed(enlarged(digit, 5), SIDE, SIDE, 10, 10)


def cut(cover):
    ys, xs = np.where(cover > 0.3)
    return cover[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1]


def spread(mask, by):
    """The largest value in the square around each pixel."""
    around = np.pad(mask, by)
    height, width = mask.shape
    return np.max([around[i : i + height, j : j + width] for i in range(2 * by + 1) for j in range(2 * by + 1)], 0)


def thick(digit, random):
    cover = spread(enlarged(digit, 5), int(random.integers(2, 5)))
    return placed(cover, SIDE, SIDE, 10, 10)


def thin(digit, width=2.5):
    """The middle of the strokes, `width` pixels wide, in a digit of 160 pixels."""
    cover = enlarged(digit, 8) > 0.5
    depth = np.zeros(cover.shape)
    inside = np.pad(cover, 1)
    while inside.any():
        depth += inside[1:-1, 1:-1]
        inside[1:-1, 1:-1] &= inside[:-2, 1:-1] & inside[2:, 1:-1] & inside[1:-1, :-2] & inside[1:-1, 2:]
    return placed((cover & (depth >= spread(depth, 3) - width)).astype(float), 260, 260, 18, 18)


def speckled(cover, random, count, sizes):
    """Adds round specks away from the strokes."""
    cover, clear = cover.copy(), spread(cover, 6) < 0.1
    y, x = np.mgrid[0 : cover.shape[0], 0 : cover.shape[1]]
    while count > 0:
        at, radius = random.integers(0, cover.shape), random.integers(*sizes) / 2
        if clear[tuple(at)]:
            cover[(y - at[0]) ** 2 + (x - at[1]) ** 2 <= radius ** 2] = 1
            count -= 1
    return cover


def ruled(cover, first, step, thickness, strength=1.0, tilt=0.0):
    """Adds horizontal lines, `tilt` pixels lower per pixel to the right."""
    y, x = np.mgrid[0 : cover.shape[0], 0 : cover.shape[1]]
    return np.maximum(cover, ((y - tilt * x - first) % step < thickness) * strength)


def upright(function, cover, *arguments, **named):
    return function(cover.T, *arguments, **named).T


def boxed(cover, top, left, bottom, right, thickness, sides="tlbr", tilt=0.0):
    """Adds `sides` of a box with these outer edges."""
    y, x = np.mgrid[0 : cover.shape[0], 0 : cover.shape[1]]
    y, x = y - tilt * x, x + tilt * y
    inside = (y >= top) & (y < bottom) & (x >= left) & (x < right)
    lines = {"t": y < top + thickness, "b": y >= bottom - thickness, "l": x < left + thickness, "r": x >= right - thickness}
    return np.maximum(cover, inside & np.any([lines[side] for side in sides], 0))


def margin_box(cover, margin, thickness, **named):
    return boxed(cover, margin, margin, cover.shape[0] - margin, cover.shape[1] - margin, thickness, **named)


def box_of_a_form(digit, random):
    """A box around the digit, somewhere on a larger page."""
    cover = placed(enlarged(digit, 3), 100, 100, 8, 8)
    cover = margin_box(cover, 2, int(random.integers(2, 4)))
    return placed(cover, 300, 400, random.integers(0, 200), random.integers(0, 300))


# Backgrounds.

def inked(cover, ground, ink):
    return ground + cover * (ink - ground)


def along(shape, random):
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]]
    angle = random.uniform(0, 2 * np.pi)
    return (x / shape[1] - 0.5) * np.cos(angle) + (y / shape[0] - 0.5) * np.sin(angle)


def shadow(image, random, least=0.45):
    return image * (least + (1 - least) / (1 + np.exp(along(image.shape, random) * random.uniform(4, 10))))


def shadow_edge(image, random, sharpness=40, depth=0.45):
    place = random.uniform(-0.3, 0.3)
    return image * (1 - depth * np.clip((along(image.shape, random) - place) * sharpness, 0, 1))


def round_shadow(image, random):
    """Adds the shadow of a thumb: dark, with a soft edge, over a corner or a side."""
    y, x = np.mgrid[-1 : 1 : image.shape[0] * 1j, -1 : 1 : image.shape[1] * 1j]
    angle = random.uniform(0, 2 * np.pi)
    distance = np.hypot(y - 1.1 * np.sin(angle), x - 1.1 * np.cos(angle))
    return image * (0.55 + 0.45 * np.clip((distance - 0.7) * 12, 0, 1))


def gradient(image, random):
    return image * (0.7 + 0.6 * np.clip(along(image.shape, random), -0.5, 0.5))


def vignette(image, random, depth=0.26):
    y, x = np.mgrid[-1 : 1 : image.shape[0] * 1j, -1 : 1 : image.shape[1] * 1j]
    return image * (1 - depth * (x * x + y * y)) + random.normal(0, 4, image.shape)


def glare(image, random):
    y, x = np.mgrid[-1 : 1 : image.shape[0] * 1j, -1 : 1 : image.shape[1] * 1j]
    at = random.uniform(-0.8, 0.8, 2)
    return image + 70 * np.exp(-((y - at[0]) ** 2 + (x - at[1]) ** 2) * 4)


def noisy(image, random, deviation):
    return image + random.normal(0, deviation, image.shape)


def salted(image, random):
    hit = random.random(image.shape)
    return np.where(hit < 0.01, 0, np.where(hit > 0.99, 255, image))


def textured(image, random):
    """Adds the grain of paper: noise of about five pixels."""
    grain = random.normal(0, 1, image.shape)
    for axis in (0, 1):
        grain = sum(np.roll(grain, i, axis) for i in range(-2, 3))
    return image + grain * 2


def blocky(image, random):
    """Keeps only the coarse cosines of 8 × 8 pixels, as JPEG does."""
    k = np.arange(8)
    basis = np.cos((2 * k[None] + 1) * k[:, None] * np.pi / 16) * np.where(k == 0, np.sqrt(1 / 8), 0.5)[:, None]
    step = 16 + 12 * (k[:, None] + k[None])
    image = np.clip(noisy(image, random, 3), 0, 255)
    blocks = image.reshape(image.shape[0] // 8, 8, image.shape[1] // 8, 8).swapaxes(1, 2)
    kept = np.rint(basis @ blocks @ basis.T / step) * step
    return (basis.T @ kept @ basis).swapaxes(1, 2).reshape(image.shape)


def alpha(cover, ink):
    return np.dstack([np.full(cover.shape, ink)] * 3 + [cover * 255])


def colored(cover, ground, ink):
    return np.dstack([inked(cover, g, i) for g, i in zip(ground, ink)])
