"""The index of a checkpoint is read as it was written; any other file gives an error of one line."""

from __future__ import annotations

from pathlib import Path

import pytest
from configs import case_checkpoints
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline_configs.checkpoints import checkpoint, sstable
from tfod_tools.base.errors import CheckpointError

SHAPES = st.dictionaries(
    st.text(st.characters(blacklist_characters="\0", blacklist_categories=("Cs",)), min_size=1),
    st.lists(st.integers(0, 300), max_size=4).map(tuple),
    max_size=60,
)
SAMPLE = {f"FeatureExtractor/MobilenetV2/Conv_{i}/weights": (3, 3, 8, i) for i in range(40)} | {"global_step": ()}


@given(SHAPES, st.integers(1, 40))
def test_names_and_shapes(shapes: dict[str, tuple[int, ...]], pairs_of_block: int) -> None:
    index, _ = case_checkpoints.indexed(shapes, pairs_of_block)
    assert checkpoint._read(index)[0] == shapes


@pytest.mark.parametrize("object_based", [True, False])
def test_kinds(tmp_path: Path, object_based: bool) -> None:
    extra = {case_checkpoints.OBJECT_GRAPH: (), "model/_feature_extractor/x": (1,)} if object_based else {}
    case_checkpoints.write(tmp_path / "model.ckpt", SAMPLE | extra)
    there = checkpoint.read(str(tmp_path / "model.ckpt"))
    assert there.shapes == SAMPLE | extra
    assert there.object_based == there.of_detector == object_based
    assert there.kind == f"a checkpoint of TF{1 + object_based} style"


def refused(prefix: Path) -> str:
    with pytest.raises(CheckpointError) as raised:
        checkpoint.read(str(prefix))
    return str(raised.value)


def test_files_that_are_not_whole(tmp_path: Path) -> None:
    prefix = tmp_path / "model.ckpt"
    assert refused(prefix) == (
        f"{prefix}: this is not the prefix of a checkpoint: there is no file model.ckpt.index. Check the prefix."
    )
    case_checkpoints.write(prefix, SAMPLE)
    index, data = Path(f"{prefix}.index"), Path(f"{prefix}.data-00000-of-00001")
    data.write_bytes(b"")
    size = 4 + 4 * 72 * sum(range(40))
    assert refused(prefix) == f"{data}: is cut off: it has 0 of {size} bytes. Copy it again."
    data.unlink()
    assert refused(prefix).startswith(f"{data}: is missing, ")
    whole = index.read_bytes()
    index.write_bytes(whole[:-1])
    assert refused(prefix) == (
        f"{index}: does not end like the index of a checkpoint. It may be cut off. Copy or download it again."
    )
    index.write_bytes(whole[100:])
    assert refused(prefix) == f"{index}: is a checkpoint's index, but it is damaged. Copy or download it again."
    trailer = len(whole) - 48 - 5  # of the last block, which lists the others; Snappy is 1
    index.write_bytes(whole[:trailer] + b"\1" + whole[trailer + 1 :])
    assert refused(prefix) == (
        f"{index}: is compressed, but TensorFlow does not compress an index. Copy or download it again."
    )


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=8),
    st.integers(0, 10**6),
)
def test_damage_is_found_or_harmless(changes: list[tuple[int, int]], cut: int) -> None:
    """Checksums are not compared, so a change that contradicts nothing gives other names and shapes."""
    damaged = bytearray(case_checkpoints.indexed(SAMPLE)[0])
    for place, value in changes:
        damaged[place % len(damaged)] = value
    start = cut % 4 and cut % len(damaged)
    try:
        shapes, _, _ = checkpoint._read(bytes(damaged[start:]))
    except CheckpointError as error:
        assert "\n" not in str(error)
    else:
        assert all(isinstance(name, str) and isinstance(shape, tuple) for name, shape in shapes.items())


@given(st.binary(max_size=300))
def test_any_bytes_in_place_of_the_blocks(content: bytes) -> None:
    handle = case_checkpoints.varint(0) + case_checkpoints.varint(max(0, len(content) - 1))
    footer = (case_checkpoints.varint(0) * 2 + handle).ljust(40, b"\0") + case_checkpoints.MAGIC
    try:
        assert list(sstable.pairs(content + footer)) is not None
    except CheckpointError as error:
        assert "\n" not in str(error)


def test_the_first_tensor_that_has_nan(tmp_path: Path) -> None:
    sound, spoilt = tmp_path / "sound.ckpt", tmp_path / "spoilt.ckpt"
    case_checkpoints.write(sound, SAMPLE)
    case_checkpoints.write(spoilt, SAMPLE)
    data = Path(f"{spoilt}.data-00000-of-00001")
    content = bytearray(data.read_bytes())
    content[-4:] = case_checkpoints.NO_NUMBER
    data.write_bytes(content)
    assert checkpoint.not_a_number(checkpoint.read(str(sound))) is None
    assert checkpoint.not_a_number(checkpoint.read(str(spoilt))) == "global_step"
