"""JPEG files that decode and shrink like photographs: smooth noise of several scales, and a little of each pixel."""

import io

import numpy
from PIL import Image

WIDTH, HEIGHT, QUALITY = 500, 375, 90
SCALES = (4, 8, 16, 32, 64, 128, 250)
"""Grid cells along the longer side; amplitudes fall as one over the scale, as those of photographs do."""
GRAIN = 7.0


def photograph(number):
    """[HEIGHT, WIDTH, 3] uint8, the same for the same number."""
    random = numpy.random.default_rng(number)
    picture = numpy.full((HEIGHT, WIDTH, 3), 128.0)
    for cells in SCALES:
        grid = random.normal(0, 140 / cells ** 0.8, (max(2, cells * HEIGHT // WIDTH), cells, 3))
        # Brightness varies more than colour.
        grid = 0.7 * grid.mean(2, keepdims=True) * 3 ** 0.5 + 0.3 * grid
        planes = [Image.fromarray(grid[:, :, c].astype(numpy.float32)).resize((WIDTH, HEIGHT), Image.BICUBIC)
                  for c in range(3)]
        picture += numpy.stack([numpy.asarray(plane) for plane in planes], 2)
    picture += random.normal(0, GRAIN, picture.shape)
    return picture.clip(0, 255).astype(numpy.uint8)


def write_photographs(folder, count):
    """`count` files, those that are there already left as they are. Returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{number:05}.jpg" for number in range(count)]
    for number, path in enumerate(paths):
        if path.exists():
            continue
        packed = io.BytesIO()
        Image.fromarray(photograph(number)).save(packed, "JPEG", quality=QUALITY)
        path.write_bytes(packed.getvalue())
    return paths
