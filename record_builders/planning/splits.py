"""Which images are for training and which for validation, and their order. Hashes of names decide, not chance."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from itertools import chain


def split(
    labels: Mapping[str, Sequence[str]], val_fraction: float, seed: int, together: Iterable[Sequence[str]] = ()
) -> tuple[list[str], list[str]]:
    """Divides images into (training, validation) so that each class gets its share in both.

    Images that belong together are one unit; every other image is a unit of its own. The stratum of a unit is the
    rarest class on it. The units are sorted by stratum, then from large to small, then by a hash. From this list units
    are taken for validation at even steps, counted in images. If all units are single images, the number of validation
    images of each stratum differs from its share by less than 1. Else the number of all validation images differs from
    its share by at most the size of the largest unit.

    Args:
      labels: the labels on each image, by image_id; none for an image without objects.
      val_fraction: share of the images for validation, in [0, 1).
      seed: another seed gives another choice of images.
      together: sets of image_ids that must be in the same part. Sets with a common image are joined.

    Returns:
      The image_ids of both parts, each in the shuffled order for writing.
    """
    ranks = {image_id: rank for rank, image_id in enumerate(sorted(labels, key=partial(_hash, seed)))}
    units = _units(together, ranks)
    rarest = strata({unit[0]: tuple(chain.from_iterable(map(labels.__getitem__, unit))) for unit in units})
    ordered = sorted(units, key=lambda unit: (rarest[unit[0]], -len(unit), ranks[unit[0]]))
    total, chosen = len(labels), val_images(len(labels), val_fraction)
    train: list[tuple[str, ...]] = []
    val: list[tuple[str, ...]] = []
    passed = taken = 0
    for unit in ordered:
        passed += len(unit)
        # For a single image: the next even step is reached. For a larger unit: the result is closer to the share.
        if (2 * taken + len(unit) + 1) * total <= 2 * passed * chosen:
            val.append(unit)
            taken += len(unit)
        else:
            train.append(unit)
    for empty, full in ((val, train), (train, val)):
        if chosen and not empty and (len(full) > 1 or empty is train):
            full.remove(least := min(full, key=len))
            empty.append(least)
    in_order = ranks.__getitem__
    return sorted(chain(*train), key=in_order), sorted(chain(*val), key=in_order)


def _units(together: Iterable[Sequence[str]], ranks: Mapping[str, int]) -> list[tuple[str, ...]]:
    """The units; in each unit, images are sorted by their rank."""
    unit_of = {image_id: [image_id] for image_id in ranks}
    for first, *others in together:
        for other in others:
            small, large = sorted((unit_of[first], unit_of[other]), key=len)
            if small is not large:
                large.extend(small)
                unit_of.update(dict.fromkeys(small, large))
    distinct = {id(unit): unit for unit in unit_of.values()}
    return [tuple(sorted(unit, key=ranks.__getitem__)) for unit in distinct.values()]


def val_images(images: int, val_fraction: float) -> int:
    """The number of images for validation: the rounded share, but at least 1, and at least 1 is left for training."""
    if val_fraction == 0 or images < 2:
        return 0
    return min(max(round(images * val_fraction), 1), images - 1)


def strata(labels: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """For each image, its label that the fewest images have; '' for an image without objects."""
    alike = Counter(map(tuple, labels.values()))  # Many images have the same labels, so this is shorter.
    images_with = Counter[str]()
    for present, images in alike.items():
        images_with.update(dict.fromkeys(present, images))
    rarest = {present: min(present, key=lambda label: (images_with[label], label), default="") for present in alike}
    return {image_id: rarest[tuple(present)] for image_id, present in labels.items()}


def _hash(seed: int, image_id: str) -> tuple[bytes, str]:
    """Decides the place of the image in the shuffled order."""
    name = f"{seed}/{image_id}".encode("utf-8", "surrogateescape")
    return hashlib.blake2b(name, digest_size=16).digest(), image_id
