"""TF_CONFIG: roles, order, ports, and texts of other programs."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.tasks import tf_config
from cloud.tasks.tf_config import Task

COUNTS = st.fixed_dictionaries(
    {"chief": st.just(1), "worker": st.integers(0, 5), "ps": st.integers(0, 3), "evaluator": st.integers(0, 1)}
)


def test_a_whole_cluster() -> None:
    counts = {"evaluator": 1, "ps": 1, "worker": 2, "chief": 1}
    members = tf_config.on_hosts(counts, ["a", "b", "c", "d", "e"])
    assert members == {"chief": ["a:2222"], "worker": ["b:2223", "c:2224"], "ps": ["d:2225"]}
    text = tf_config.dump(members, Task("evaluator", 0))
    assert text == (
        '{"cluster":{"chief":["a:2222"],"worker":["b:2223","c:2224"],"ps":["d:2225"]},'
        '"task":{"type":"evaluator","index":0}}'
    )


@given(COUNTS, st.integers(1, 60000))
def test_every_task_has_an_address_of_its_own_by_rank(counts: dict[str, int], port: int) -> None:
    ranked = tf_config.tasks(counts)
    assert len(set(ranked)) == len(ranked) == sum(counts.values())
    assert ranked[0] == Task("chief", 0)
    members = tf_config.on_hosts(counts, [f"h{rank}" for rank in range(len(ranked))], port)
    assert "evaluator" not in members
    addresses = [address for hosts in members.values() for address in hosts]
    assert addresses == [f"h{rank}:{port + rank}" for rank, task in enumerate(ranked) if task.role != "evaluator"]


@given(COUNTS)
def test_what_is_written_is_read(counts: dict[str, int]) -> None:
    members = tf_config.on_hosts(counts, ["host"] * sum(counts.values()))
    for task in tf_config.tasks(counts):
        text = tf_config.dump(members, task)
        if text is None:
            assert members.keys() == {"chief"}
            assert task == Task("chief", 0)
        else:
            assert tf_config.parse(text) == (members, task)


@given(COUNTS)
def test_num_workers(counts: dict[str, int]) -> None:
    assert tf_config.num_workers(counts) == 1 + counts["worker"]


def test_one_that_is_alone_needs_none_but_its_evaluator_does() -> None:
    members = tf_config.on_hosts({"chief": 1, "evaluator": 1}, ["a", "b"])
    assert tf_config.dump(members, Task("chief", 0)) is None
    assert json.loads(tf_config.dump(members, Task("evaluator", 0)) or "") == {
        "cluster": {"chief": ["a:2222"]},
        "task": {"type": "evaluator", "index": 0},
    }


def test_too_few_hosts() -> None:
    with pytest.raises(ValueError, match="2 tasks on 1 hosts"):
        tf_config.on_hosts({"chief": 1, "worker": 1}, ["a"])


# What services set, by their documentation, and how it is understood.
FOREIGN = {
    "AI Platform's master": (
        {"cluster": {"master": ["m:1"], "worker": ["w:1"]}, "task": {"type": "master", "index": 0}, "job": "{}"},
        ({"chief": ["m:1"], "worker": ["w:1"]}, Task("chief", 0)),
    ),
    "Vertex AI, with strings and more": (
        {"cluster": {"chief": ["c:2222"], "ps": ["p:2222"]}, "task": {"type": "ps", "index": "0", "trial": ""}},
        ({"chief": ["c:2222"], "ps": ["p:2222"]}, Task("ps", 0)),
    ),
    "Azure ML, without a chief": (
        {"cluster": {"worker": ["a:1", "b:1", "c:1"], "ps": ["p:1"]}, "task": {"type": "worker", "index": 2}},
        ({"chief": ["a:1"], "worker": ["b:1", "c:1"], "ps": ["p:1"]}, Task("worker", 1)),
    ),
    "Azure ML's first worker": (
        {"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 0}},
        ({"chief": ["a:1"], "worker": ["b:1"]}, Task("chief", 0)),
    ),
    "an evaluator in the cluster": (
        {"cluster": {"chief": ["c:1"], "evaluator": ["e:1"]}, "task": {"type": "evaluator", "index": 0}},
        ({"chief": ["c:1"]}, Task("evaluator", 0)),
    ),
    "no cluster": ({"environment": "cloud"}, ({}, Task("chief", 0))),
}  # fmt: skip


@pytest.mark.parametrize("name", FOREIGN)
def test_what_others_write(name: str) -> None:
    written, understood = FOREIGN[name]
    assert tf_config.parse(json.dumps(written)) == understood


@pytest.mark.parametrize("text", [None, "", "{}"])
def test_nothing_is_a_chief_that_is_alone(text: str | None) -> None:
    assert tf_config.parse(text) == ({}, Task("chief", 0))


def test_an_unknown_role() -> None:
    with pytest.raises(ValueError, match="the task's type is 'boss', and the known ones are chief"):
        tf_config.parse('{"cluster": {"chief": ["a:1"]}, "task": {"type": "boss", "index": 0}}')
