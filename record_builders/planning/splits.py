"""Which images train and which validate, and in which order they are written. No random numbers: hashes of names."""

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

    Images that belong together are one unit, all others one each. A unit's stratum is the rarest class on it. The
    units, ordered by stratum, from large to small and then by a hash, are sampled at even steps of images. Of single
    images, each stratum's number of validation images is less than one away from its share; units of more miss the
    share of all images by at most the size of the largest.

    Args:
      labels: the labels on each image, by image_id; none for an image without objects.
      val_fraction: part of the images to validate on, in [0, 1).
      seed: another seed gives another choice of images.
      together: image_ids that must end in the same part; what is named twice joins its sets.

    Returns:
      The image_ids of both parts, each in the order in which to write them, which is a shuffled one.
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
        # For a single image: whether the even steps come onto one more. For more, whether it leaves less of a miss.
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
    """What cannot be parted; of each unit, that image comes first which has the first of `ranks`."""
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
    """How many of `images` validate: the fraction, rounded, but at least 1, and at least 1 is left to train on."""
    if val_fraction == 0 or images < 2:
        return 0
    return min(max(round(images * val_fraction), 1), images - 1)


def strata(labels: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """For each image the label on it that the fewest images show; '' for an image without objects."""
    alike = Counter(map(tuple, labels.values()))  # Few of many images have labels that no other has.
    images_with = Counter[str]()
    for present, images in alike.items():
        images_with.update(dict.fromkeys(present, images))
    rarest = {present: min(present, key=lambda label: (images_with[label], label), default="") for present in alike}
    return {image_id: rarest[tuple(present)] for image_id, present in labels.items()}


def _hash(seed: int, image_id: str) -> tuple[bytes, str]:
    """What decides on the image's place in a shuffled order."""
    name = f"{seed}/{image_id}".encode("utf-8", "surrogateescape")
    return hashlib.blake2b(name, digest_size=16).digest(), image_id
