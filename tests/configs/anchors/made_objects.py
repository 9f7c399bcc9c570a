"""Objects for tests: of all sizes and shapes, in images of some sizes, always the same for a seed."""

from __future__ import annotations

import numpy as np

from pipeline_configs.anchors.objects import Objects


def made(count: int, images: int, *, seed: int = 0, sizes: tuple[tuple[int, int], ...] = ((480, 640),)) -> Objects:
    """`count` objects on `images` images, a tenth of them of weight 0, of the classes cat and dog."""
    random = np.random.default_rng(seed)
    sides = np.exp(random.uniform(np.log(0.02), np.log(0.9), (count, 1)) + random.normal(0, 0.3, (count, 2)))
    sides = np.minimum(sides, 0.98)
    corners = random.random((count, 2)) * (1 - sides)
    return Objects(
        corners=np.float32(np.concatenate([corners, corners + sides], 1)),
        image=np.sort(random.integers(0, images, count)),
        label=random.integers(0, 2, count),
        weight=np.float32(random.random(count) > 0.1),
        sizes=np.array([sizes[i % len(sizes)] for i in range(images)]),
        names=("cat", "dog"),
        images=tuple(f"image-{i}" for i in range(images)),
    )


def squares(side_px: float, count: int, *, image: int = 300, seed: int = 0) -> Objects:
    """Squares of one size anywhere on images of `image` x `image` pixels, one on each."""
    random = np.random.default_rng(seed)
    corners = random.random((count, 2)) * (1 - side_px / image)
    return Objects(
        corners=np.float32(np.concatenate([corners, corners + side_px / image], 1)),
        image=np.arange(count),
        label=np.zeros(count, np.int64),
        weight=np.ones(count, np.float32),
        sizes=np.full((count, 2), image),
        names=("thing",),
        images=tuple(map(str, range(count))),
    )
