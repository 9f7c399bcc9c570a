"""Names of shards and what they say are inverse."""

from __future__ import annotations

import fnmatch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from record_builders.records import shards
from record_builders.records.shards import ShardSpec

PREFIXES = st.text("abz_-.0123456789", min_size=1, max_size=12)


def test_the_name_that_the_engine_documents() -> None:
    """Five digits, counted from 0."""
    assert ShardSpec(prefix="train", index=0, total=4).name == "train.record-00000-of-00004"
    assert shards.pattern("train", 4) == "train.record-?????-of-00004"


@given(PREFIXES, st.integers(1, shards.MAX_SHARDS), st.data())
def test_parse_is_the_inverse_of_name(prefix: str, total: int, data: st.DataObject) -> None:
    """And the pattern matches the name."""
    spec = ShardSpec(prefix=prefix, index=data.draw(st.integers(0, total - 1)), total=total)
    assert ShardSpec.parse(spec.name) == spec
    assert fnmatch.fnmatchcase(spec.name, shards.pattern(prefix, total))


@pytest.mark.parametrize(
    "name",
    ["", "train.record", "train.record-0-of-1", "train.record-00001-of-00001", "../train.record-00000-of-00001", "a\n"],
)
def test_other_names_are_refused(name: str) -> None:
    """Also shards beyond the total, and paths."""
    with pytest.raises(ValueError):
        ShardSpec.parse(name)


def test_specs() -> None:
    """All shards, in order."""
    assert [spec.name for spec in shards.specs("val", 2)] == ["val.record-00000-of-00002", "val.record-00001-of-00002"]
