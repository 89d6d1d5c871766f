"""The kinds of picture that measure.py uses: each draws a digit [28, 28] with a random generator.

A picture is greys [height, width], or the kind of PNG and its channels.
"""
import numpy as np

from drawing import (SIDE, alpha, blocky, box_of_a_form, boxed, colored, cut, enlarged, glare, gradient, inked, margin_box, noisy,
                     page, placed, resized, round_shadow, ruled, salted, shadow, shadow_edge, speckled, spread, textured, thick, thin,
                     upright, vignette)


def on_white(cover):
    return inked(cover, 250, 20)


def squared(cover, step, strength):
    return upright(ruled, ruled(cover, 5, step, 1, strength), 7, step, 1, strength)


def squared_in_color(cover, ground, ink, lines):
    """A pen on squared paper of another colour."""
    paper = colored(squared(np.zeros(cover.shape), 20, 1), ground, lines)
    return "rgb", paper + cover[..., None] * (np.array(ink) - paper)


def near_the_rim(digit, random):
    cover = cut(enlarged(digit, 5))
    top, left = random.integers(0, 2, 2) * (np.array((200, 240)) - cover.shape)
    return on_white(placed(cover, 200, 240, top, left))


def shaded_colors(cover, ground, ink, random):
    light = shadow(np.ones(cover.shape), random)
    return "rgb", colored(cover, ground, ink) * light[..., None]


def half_transparent(cover, random):
    """Ink at 70 % on a transparent ground, whose hidden colours are random."""
    image = alpha(cover * 0.7, 10)
    image[..., :3] = np.where(cover[..., None] > 0, image[..., :3], random.integers(0, 256, (*cover.shape, 3)))
    return "rgba", image


SHADES = {
    "white on black": lambda d, r: inked(page(d), 0, 255),
    "black on white": lambda d, r: inked(page(d), 255, 0),
    "light on grey": lambda d, r: inked(page(d), r.integers(128, 180), 250),
    "dark on grey": lambda d, r: inked(page(d), r.integers(75, 128), 10),
    "white on light grey": lambda d, r: inked(page(d), 215, 255),
    "black on dark grey": lambda d, r: inked(page(d), 45, 0),
    "low contrast": lambda d, r: inked(page(d), 200, 140),
    "faint pencil": lambda d, r: noisy(inked(page(d), 245, 215), r, 2),
}
LIGHT = {
    "smooth shadow": lambda d, r: noisy(shadow(inked(page(d), 240, 30), r), r, 3),
    "smooth shadow, light ink": lambda d, r: noisy(shadow(inked(page(d), 110, 250), r), r, 3),
    "edge of a shadow": lambda d, r: shadow_edge(inked(page(d), 235, 40), r),
    "hard edge of a shadow": lambda d, r: shadow_edge(inked(page(d), 235, 40), r, 1000),
    "edge, light ink": lambda d, r: shadow_edge(inked(page(d), 120, 250), r),
    "shadow of a thumb": lambda d, r: round_shadow(inked(page(d), 235, 40), r),
    "gradient": lambda d, r: gradient(inked(page(d), 255, 50), r),
    "gradient, light ink": lambda d, r: gradient(inked(page(d), 140, 250), r),
    "vignette": lambda d, r: vignette(inked(page(d), 240, 40), r),
    "strong vignette": lambda d, r: vignette(inked(page(d), 240, 40), r, 0.4),
    "glare": lambda d, r: glare(inked(page(d), 170, 40), r),
    "pencil in a shadow": lambda d, r: noisy(shadow(inked(page(d), 240, 150), r), r, 3),
}
NOISE = {
    "noise of 12": lambda d, r: noisy(inked(page(d), 230, 50), r, 12),
    "noise of 25": lambda d, r: noisy(inked(page(d), 220, 40), r, 25),
    "salt and pepper": lambda d, r: salted(inked(page(d), 200, 40), r),
    "grain of paper": lambda d, r: textured(inked(page(d), 210, 60), r),
    "coarse JPEG": lambda d, r: blocky(inked(page(d), 235, 40), r),
}
RULES = {
    "box": lambda d, r: inked(margin_box(page(d), r.integers(3, 9), r.integers(2, 5)), 250, r.integers(0, 90)),
    "box at the rim": lambda d, r: on_white(margin_box(page(d), 0, r.integers(1, 5))),
    "box, light ink": lambda d, r: inked(margin_box(page(d), r.integers(0, 9), r.integers(2, 5)), 100, 240),
    "box, three sides": lambda d, r: on_white(margin_box(page(d), 5, 3, sides=("tlb", "lbr", "tbr")[r.integers(3)])),
    "box, two sides": lambda d, r: on_white(margin_box(page(d), 5, 3, sides=("tl", "lb", "br", "lr")[r.integers(4)])),
    "box out of the picture": lambda d, r: on_white(boxed(page(d), -9, 4, 156, 190, 3)),
    "box, tilted": lambda d, r: on_white(boxed(placed(page(d), 200, 200, 20, 20), 12, 12, 188, 188, 3, tilt=r.uniform(-0.03, 0.03))),
    "box, double": lambda d, r: on_white(margin_box(margin_box(page(d), 1, 2), 6, 1)),
    "box, pale": lambda d, r: inked(np.maximum(page(d), margin_box(np.zeros((SIDE, SIDE)), 5, 3) * 0.35), 250, 20),
    "box on a form": lambda d, r: on_white(box_of_a_form(d, r)),
    "box in a shadow": lambda d, r: noisy(shadow(on_white(margin_box(page(d), 5, 3)), r), r, 3),
    "box, touched": lambda d, r: on_white(margin_box(placed(cut(enlarged(d, 5)), SIDE, SIDE, 20, 8), 5, 4)),
    "line below": lambda d, r: on_white(boxed(page(d), 150, 5, 152, 155, 2, "t")),
    "line below, rim to rim": lambda d, r: on_white(boxed(page(d), 150, 0, 153, 160, 3, "t")),
    "line beside": lambda d, r: on_white(boxed(page(d), 0, 6, 160, 8, 2, "l")),
    "ruled paper": lambda d, r: on_white(ruled(page(d), r.integers(0, 40), 40, 2)),
    "ruled paper, pale": lambda d, r: on_white(ruled(page(d), r.integers(0, 30), 30, 2, 0.35)),
    "ruled paper, tilted": lambda d, r: on_white(ruled(page(d), r.integers(0, 40), 40, 2, 0.7, r.uniform(-0.04, 0.04))),
    "squared paper": lambda d, r: on_white(squared(page(d), 20, 0.4)),
    "squared paper, dark": lambda d, r: on_white(squared(page(d), 32, 1)),
}
SPECKS = {
    "one speck": lambda d, r: on_white(speckled(page(d), r, 1, (2, 7))),
    "specks": lambda d, r: on_white(speckled(page(d), r, r.integers(3, 9), (2, 7))),
    "two large specks": lambda d, r: on_white(speckled(page(d), r, 2, (8, 11))),
    "dust": lambda d, r: on_white(speckled(page(d), r, 60, (1, 3))),
    "specks of both kinds": lambda d, r: inked(speckled(page(d), r, 4, (3, 7)) - speckled(np.zeros((SIDE, SIDE)), r, 4, (3, 7)), 150, 20),
    "specks on a page": lambda d, r: on_white(speckled(placed(enlarged(d, 3), 300, 400, r.integers(0, 216), r.integers(0, 316)), r, 12, (2, 7))),
}
PENS = {
    "thin pen": lambda d, r: inked(thin(d), 255, 20),
    "thin pen, pale": lambda d, r: noisy(inked(thin(d), 240, 170), r, 2),
    "thin pen, light": lambda d, r: inked(thin(d), 130, 250),
    "thick pen": lambda d, r: on_white(thick(d, r)),
    "thick pen, light": lambda d, r: inked(thick(d, r), 130, 250),
    "blocks of pixels": lambda d, r: 255 - np.kron(d, np.ones((10, 10))),
    "soft edges": lambda d, r: inked(resized(d, 280, 280), 250, 10),
}
PLACES = {
    "off centre": lambda d, r: inked(placed(enlarged(d, 3), 250, 320, r.integers(0, 166), r.integers(0, 236)), 255, 0),
    "in a corner": lambda d, r: near_the_rim(d, r),
    "cut close": lambda d, r: inked(cut(enlarged(d, 5)), 255, 0),
    "cut close, light on grey": lambda d, r: inked(cut(enlarged(d, 5)), 140, 250),
    "small on a page": lambda d, r: inked(placed(enlarged(d, 2), 900, 700, r.integers(0, 840), r.integers(0, 640)), 250, 30),
    "small on a page, noise": lambda d, r: noisy(inked(placed(enlarged(d, 2), 600, 500, r.integers(0, 540), r.integers(0, 440)), 235, 40), r, 8),
    "wide picture": lambda d, r: on_white(placed(enlarged(d, 3), 100, 700, 8, r.integers(0, 610))),
    "large": lambda d, r: noisy(on_white(placed(enlarged(d, 30), 1000, 1200, r.integers(0, 150), r.integers(0, 350))), r, 5),
    "20x20": lambda d, r: inked(resized(d, 20, 20), 255, 0),
    "32x32": lambda d, r: inked(np.pad(d / 255, 2), 140, 240),
    "40x40, noise": lambda d, r: noisy(inked(np.pad(d / 255, 6), 230, 40), r, 6),
}
FILES = {
    "transparent, dark": lambda d, r: ("rgba", alpha(page(d), 20)),
    "transparent, light": lambda d, r: ("rgba", alpha(page(d), 240)),
    "half transparent": lambda d, r: half_transparent(page(d), r),
    "grey and alpha, 28x28": lambda d, r: ("grey alpha", np.dstack([np.full(d.shape, 30), d])),
    "16 bits": lambda d, r: ("grey16", inked(page(d), 255, 0)),
    "16 bits in colour": lambda d, r: ("rgb16", colored(page(d), (250, 250, 240), (10, 10, 90))),
    "palette": lambda d, r: ("palette", inked(page(d), 20, 240)),
    "1 bit": lambda d, r: ("bit", inked(page(d), 255, 0)),
    "1 bit, light": lambda d, r: ("bit", inked(page(d), 0, 255)),
    "4 bits": lambda d, r: ("4 bits", inked(page(d), 150, 255)),
}
COLORS = {
    "red on white": lambda d, r: ("rgb", colored(page(d), (255, 255, 255), (220, 30, 30))),
    "yellow on white": lambda d, r: ("rgb", colored(page(d), (255, 255, 255), (250, 235, 20))),
    "yellow in a shadow": lambda d, r: shaded_colors(page(d), (250, 250, 250), (245, 230, 20), r),
    "blue on black": lambda d, r: ("rgb", colored(page(d), (0, 0, 0), (20, 30, 255))),
    "red on green": lambda d, r: ("rgb", colored(page(d), (30, 130, 40), (220, 50, 30))),
    "white on green": lambda d, r: shaded_colors(page(d), (40, 100, 70), (240, 240, 230), r),
    "orange on purple": lambda d, r: shaded_colors(page(d), (120, 70, 160), (250, 150, 40), r),
    "blue on squared paper": lambda d, r: squared_in_color(page(d), (250, 250, 245), (30, 40, 130), (170, 200, 235)),
    "black in a red box": lambda d, r: ("rgb", np.where(page(d)[..., None] > 0.5, 20, colored(margin_box(0 * page(d), 5, 3), (250, 250, 250), (220, 60, 50)))),
}
AS_TAKEN = {
    "28x28, light on grey": lambda d, r: inked(d / 255.0, 140, 240),
    "28x28, dark on grey": lambda d, r: inked(d / 255.0, 110, 10),
    "28x28, low contrast": lambda d, r: inked(d / 255.0, 200, 150),
    "28x28, shadow": lambda d, r: shadow(inked(d / 255.0, 240, 40), r, 0.55),
    "28x28, vignette": lambda d, r: vignette(inked(d / 255.0, 240, 40), r),
    "28x28, noise": lambda d, r: noisy(inked(d / 255.0, 220, 40), r, 10),
    "28x28, specks": lambda d, r: inked(np.maximum(d / 255.0, speckled(0 * d, r, 3, (1, 3))), 250, 20),
    "28x28, box": lambda d, r: inked(margin_box(d / 255.0, 0, 1), 250, 20),
}
KINDS = {"shades": SHADES, "light": LIGHT, "noise": NOISE, "boxes and lines": RULES, "specks": SPECKS, "pens": PENS,
         "places and sizes": PLACES, "files": FILES, "colours": COLORS, "of the network's size": AS_TAKEN}

EMPTY = np.zeros((SIDE, SIDE))
WHITE = inked(EMPTY, 245, 0)
BLANK = {
    "white": lambda r: inked(EMPTY, 255, 0),
    "black": lambda r: EMPTY,
    "grey": lambda r: inked(EMPTY, r.integers(1, 255), 0),
    "noise of 6": lambda r: noisy(inked(EMPTY, 230, 0), r, 6),
    "noise of 25": lambda r: noisy(inked(EMPTY, 128, 0), r, 25),
    "grain of paper": lambda r: textured(WHITE - 40, r),
    "coarse JPEG": lambda r: blocky(noisy(WHITE - 40, r, 12), r),
    "smooth shadow": lambda r: noisy(shadow(WHITE, r), r, 3),
    "edge of a shadow": lambda r: shadow_edge(WHITE, r),
    "hard edge of a shadow": lambda r: shadow_edge(WHITE, r, 1000),
    "shadow of a thumb": lambda r: round_shadow(WHITE, r),
    "gradient": lambda r: gradient(WHITE, r),
    "vignette": lambda r: vignette(WHITE, r, r.uniform(0.1, 0.4)),
    "glare": lambda r: glare(WHITE - 80, r),
    "empty box": lambda r: on_white(margin_box(EMPTY, r.integers(0, 9), r.integers(2, 5))),
    "empty box on a form": lambda r: on_white(box_of_a_form(np.zeros((28, 28)), r)),
    "empty box, three sides": lambda r: on_white(margin_box(EMPTY, 5, 3, sides="tlb")),
    "ruled paper": lambda r: on_white(ruled(EMPTY, r.integers(0, 40), 40, 2)),
    "squared paper": lambda r: on_white(squared(EMPTY, 20, 0.4)),
    "dust": lambda r: on_white(speckled(EMPTY, r, 20, (1, 3))),
    "large, noise of 8": lambda r: noisy(np.full((800, 1000), 235.0), r, 8),
    "transparent": lambda r: ("rgba", alpha(EMPTY, r.integers(0, 256))),
    "28x28, white": lambda r: np.full((28, 28), 255.0),
    "28x28, noise of 3": lambda r: noisy(np.full((28, 28), 235.0), r, 3),
}
