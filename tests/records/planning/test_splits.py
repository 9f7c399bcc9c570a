"""The split has the exact size, gives each stratum its share, and depends on names and seed alone."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from record_builders.planning import splits

LABELS = st.dictionaries(st.text(min_size=1, max_size=4), st.lists(st.sampled_from("abcd"), max_size=4), max_size=60)
FRACTIONS = st.floats(0, 1, exclude_max=True)


@given(LABELS, FRACTIONS, st.integers())
def test_every_image_is_in_one_part(labels: dict[str, list[str]], fraction: float, seed: int) -> None:
    """And the validation part has as many as were asked for."""
    train, val = splits.split(labels, fraction, seed)
    assert sorted(train + val) == sorted(labels)
    assert len(val) == splits.val_images(len(labels), fraction)


@given(st.integers(0, 2000), FRACTIONS)
def test_number_of_validation_images(images: int, fraction: float) -> None:
    """The rounded fraction, kept between 1 and all but 1 where there are images for both."""
    found = splits.val_images(images, fraction)
    if fraction == 0 or images < 2:
        assert found == 0
    else:
        assert found == min(max(round(images * fraction), 1), images - 1)


@given(LABELS, FRACTIONS, st.integers())
def test_every_stratum_gets_its_share(labels: dict[str, list[str]], fraction: float, seed: int) -> None:
    """Within one image."""
    _, val = splits.split(labels, fraction, seed)
    strata = splits.strata(labels)
    chosen = Counter(strata[image_id] for image_id in val)
    for stratum, size in Counter(strata.values()).items():
        assert abs(chosen[stratum] - size * len(val) / len(labels)) < 1


@given(LABELS, FRACTIONS, st.integers(), st.randoms())
def test_the_order_of_the_input_does_not_matter(
    labels: dict[str, list[str]], fraction: float, seed: int, random: object
) -> None:
    """Nor the order of labels on an image."""
    items = [(image_id, present[::-1]) for image_id, present in labels.items()]
    random.shuffle(items)  # type: ignore[attr-defined]
    assert splits.split(dict(items), fraction, seed) == splits.split(labels, fraction, seed)


def test_the_rarest_class_is_the_stratum() -> None:
    """Counted in images, not boxes; ties by name; images without objects among themselves."""
    labels = {"1": ["a", "b"], "2": ["a", "c", "c", "c"], "3": ["a"], "4": [], "5": ["b", "c"]}
    assert splits.strata(labels) == {"1": "b", "2": "c", "3": "a", "4": "", "5": "b"}


@st.composite
def labels_and_sets(draw: st.DrawFn) -> tuple[dict[str, list[str]], list[list[str]]]:
    """Labels, and sets of images that belong together, which may overlap."""
    labels = draw(LABELS)
    if not labels:
        return labels, []
    return labels, draw(st.lists(st.lists(st.sampled_from(sorted(labels)), min_size=1, max_size=9), max_size=9))


def joined(labels: dict[str, list[str]], together: list[list[str]]) -> list[set[str]]:
    """The units, found in the most naive way."""
    units = [{image_id} for image_id in labels]
    for same in together:
        touched = [unit for unit in units if unit & set(same)]
        units = [unit for unit in units if unit not in touched] + [set().union(*touched)]
    return units


@given(labels_and_sets(), FRACTIONS, st.integers())
def test_what_belongs_together_stays_together(
    drawn: tuple[dict[str, list[str]], list[list[str]]], fraction: float, seed: int
) -> None:
    """And the validation part is as near to what was asked for as the largest unit allows."""
    labels, together = drawn
    train, val = splits.split(labels, fraction, seed, together)
    assert sorted(train + val) == sorted(labels)
    in_order, _ = splits.split(labels, 0, seed)
    assert (train, val) == tuple([i for i in in_order if i in part] for part in (set(train), set(val)))
    units = joined(labels, together)
    assert all(unit <= set(train) or unit <= set(val) for unit in units)
    wanted = splits.val_images(len(labels), fraction)
    assert abs(len(val) - wanted) <= max(map(len, units), default=0)
    assert bool(train) == bool(labels)
    assert bool(val) == (wanted > 0 and len(units) > 1)


@given(LABELS, FRACTIONS, st.integers())
def test_sets_of_one_change_nothing(labels: dict[str, list[str]], fraction: float, seed: int) -> None:
    """What has no copy is where it was."""
    together = [[image_id] for image_id in labels]
    assert splits.split(labels, fraction, seed, together) == splits.split(labels, fraction, seed)


def test_groups_are_stratified() -> None:
    """Twenty scenes of ten images, four of them with the rare class: one of these validates."""
    labels = {f"{scene}-{n}": ["rare" if scene < 4 else "common"] for scene in range(20) for n in range(10)}
    scenes = [[f"{scene}-{n}" for n in range(10)] for scene in range(20)]
    for seed in range(5):
        _, val = splits.split(labels, 0.25, seed, scenes)
        assert len(val) == 50
        assert sum(labels[image_id] == ["rare"] for image_id in val) == 10


def test_the_same_on_every_machine() -> None:
    """A change of these is a change of everybody's split."""
    labels = {f"image-{number}": ["cat"] for number in range(10)}
    train, val = splits.split(labels, 0.2, 0)
    assert val == ["image-0", "image-1"]
    assert train == ["image-6", "image-2", "image-7", "image-5", "image-3", "image-8", "image-9", "image-4"]
    assert splits.split(labels, 0.2, 1)[1] != val
