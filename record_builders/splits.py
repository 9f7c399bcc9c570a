"""Which images train and which validate, and in which order they are written. No random numbers: hashes of names."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence


def split(labels: Mapping[str, Sequence[str]], val_fraction: float, seed: int) -> tuple[list[str], list[str]]:
    """Divides images into (training, validation) so that each class gets its share in both.

    An image's stratum is the rarest class on it. The images, ordered by stratum and then by a hash, are sampled at even
    steps, so each stratum's number of validation images is less than one away from its share.

    Args:
      labels: the labels on each image, by image_id; none for an image without objects.
      val_fraction: part of the images to validate on, in [0, 1).
      seed: another seed gives another choice of images.

    Returns:
      The image_ids of both parts, each in the order in which to write them, which is a shuffled one.
    """
    ordered = sorted(strata(labels).items(), key=lambda item: (item[1], _hash(seed, item[0]), item[0]))
    total, chosen = len(ordered), val_images(len(ordered), val_fraction)
    train: list[str] = []
    val: list[str] = []
    for position, (image_id, _) in enumerate(ordered):
        steps_onto_one = (position + 1) * chosen // total > position * chosen // total
        (val if steps_onto_one else train).append(image_id)
    return shuffled(train, seed), shuffled(val, seed)


def val_images(images: int, val_fraction: float) -> int:
    """How many of `images` validate: the fraction, rounded, but at least 1, and at least 1 is left to train on."""
    if val_fraction == 0 or images < 2:
        return 0
    return min(max(round(images * val_fraction), 1), images - 1)


def strata(labels: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """For each image the label on it that the fewest images show; '' for an image without objects."""
    images_with = Counter(label for present in labels.values() for label in set(present))
    return {
        image_id: min(set(present), key=lambda label: (images_with[label], label), default="")
        for image_id, present in labels.items()
    }


def shuffled(image_ids: Sequence[str], seed: int) -> list[str]:
    """`image_ids` in an order that depends on nothing but them and `seed`."""
    return sorted(image_ids, key=lambda image_id: (_hash(seed, image_id), image_id))


def _hash(seed: int, image_id: str) -> bytes:
    return hashlib.blake2b(f"{seed}/{image_id}".encode("utf-8", "surrogateescape"), digest_size=16).digest()
