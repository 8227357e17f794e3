#!/usr/bin/env python3
"""Makes the small TIFFs in tests/data/image/ (needs tifffile, imagecodecs and Pillow, which write them in unlike ways). Their
values are the formulas of image_files.py; the pages of stack.tif are grey + page."""
from pathlib import Path
import numpy as np
import tifffile
from PIL import Image

W, H = 13, 9
to = Path(__file__).parent / "image"
y, x = np.mgrid[0:H, 0:W]
colour = np.stack([16 * x, 20 * y, 8 * (x + y)], -1).astype(np.uint8)
grey = (8 * (x + y)).astype(np.uint8)
deep = (4000 * y + x).astype(np.uint16)
index = ((x + y) % 4).astype(np.uint8)
rgb = Image.fromarray(colour)
rgb.save(to / "colour.tif")
rgb.save(to / "colour_jpeg.tif", compression="jpeg", quality=95)  # YCbCr
rgb.convert("CMYK").save(to / "cmyk.tif", compression="tiff_lzw")
tifffile.imwrite(to / "colour_lzw_big_endian.tif", colour, photometric="rgb", compression="lzw", predictor=True, byteorder=">")
tifffile.imwrite(to / "colour_tiled_deflate.tiff", colour, photometric="rgb", compression="deflate", tile=(16, 16))
tifffile.imwrite(to / "colour_planes.tif", np.moveaxis(colour, -1, 0), photometric="rgb", planarconfig="separate", bigtiff=True)
tifffile.imwrite(to / "alpha.tif", np.concatenate([colour, np.full((H, W, 1), 7, np.uint8)], -1), photometric="rgb", extrasamples=["unassalpha"])
tifffile.imwrite(to / "colour16.tif", colour.astype(np.uint16) * 257, photometric="rgb", compression="zstd")
tifffile.imwrite(to / "grey16.tif", deep, photometric="minisblack", compression="lzma")
tifffile.imwrite(to / "grey12_of_16.tif", (grey.astype(np.uint32) * 4095 // 255).astype(np.uint16), photometric="minisblack")
tifffile.imwrite(to / "white_is_zero.tif", 255 - grey, photometric="miniswhite")
tifffile.imwrite(to / "float.tif", grey.astype(np.float32), photometric="minisblack")
tifffile.imwrite(to / "five_channels.tif", np.dstack([grey] * 5), photometric="minisblack", planarconfig="contig")
tifffile.imwrite(to / "turned.tif", np.rot90(colour), photometric="rgb", extratags=[(274, "H", 1, 6, True)])  # shown turned clockwise
palette = np.zeros((3, 256), np.uint16)
palette[:, :4] = np.array([[10, 20, 30], [250, 0, 0], [0, 250, 0], [0, 0, 250]]).T * 257
tifffile.imwrite(to / "palette.tif", index, photometric="palette", colormap=palette)
Image.fromarray((x + y) % 2 == 1).save(to / "bit.tif", compression="group4")
with tifffile.TiffWriter(to / "stack.tif") as out:
    for page in range(11):
        out.write(grey + np.uint8(page), photometric="minisblack", compression="packbits", contiguous=False)
