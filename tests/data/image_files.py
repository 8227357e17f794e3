#!/usr/bin/env python3
"""Makes the small images in tests/data/image/ (needs Pillow). Their values are formulas that image_test.cpp repeats:
colour (x, y) = (16 x, 20 y, 8 (x + y)), grey = 8 (x + y), index = (x + y) % 4, 16 bits = 4000 y + x, bit = (x + y) % 2; 13 x 9 pixels."""
from pathlib import Path
import numpy as np
from PIL import Image

W, H = 13, 9
to = Path(__file__).parent / "image"
to.mkdir(exist_ok=True)
y, x = np.mgrid[0:H, 0:W]
colour = np.stack([16 * x, 20 * y, 8 * (x + y)], -1).astype(np.uint8)
grey = (8 * (x + y)).astype(np.uint8)
rgb = Image.fromarray(colour)
rgb.save(to / "colour.png")
rgb.save(to / "colour.bmp")
rgb.save(to / "colour.jpg", quality=95, subsampling=0)
rgb.save(to / "progressive.jpg", quality=95, subsampling=0, progressive=True)
rgb.convert("CMYK").save(to / "cmyk.jpg", quality=50)
Image.fromarray(grey).save(to / "grey.jpg", quality=95)
Image.fromarray(grey).save(to / "grey.png")
rgba = np.concatenate([colour, np.full((H, W, 1), 7, np.uint8)], -1)
Image.fromarray(rgba).save(to / "alpha.png")
index = Image.fromarray(((x + y) % 4).astype(np.uint8), "P")
index.putpalette([10, 20, 30, 250, 0, 0, 0, 250, 0, 0, 0, 250])
index.save(to / "palette.png", bits=2)
Image.fromarray((4000 * y + x).astype(np.uint16)).save(to / "grey16.png")
Image.fromarray((x + y) % 2 == 1).save(to / "bit.png")
second = Image.fromarray(np.full((H, W), 3, np.uint8), "P")
second.putpalette(index.getpalette())
index.save(to / "palette.gif", save_all=True, append_images=[second], duration=100)
rows = Image.fromarray(np.repeat(np.arange(21, dtype=np.uint8)[:, None], 16, 1), "P")  # index = y
rows.putpalette([v for i in range(32) for v in (8 * i, 8 * i, 8 * i)])
rows.save(to / "interlaced.gif", interlace=1, optimize=False)
