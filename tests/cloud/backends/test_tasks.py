"""How a task finds the cluster and its part in it, with the environment of each back-end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.backends.slurm.tasks import allocated, expand
from cloud.tasks import discovery
from cloud.tasks.tf_config import Task

NODES = {
    "n1": ["n1"],
    "n1,n2": ["n1", "n2"],
    "n[0-2]": ["n0", "n1", "n2"],
    "n[08-10],gpu3": ["n08", "n09", "n10", "gpu3"],
    "n[9,11,10]": ["n9", "n11", "n10"],
    "r[1-2]n[0-1]": ["r1n0", "r1n1", "r2n0", "r2n1"],
    "node-a[001-002,010].site,b": ["node-a001.site", "node-a002.site", "node-a010.site", "b"],
}


@pytest.mark.parametrize("text", NODES)
def test_node_lists(text: str) -> None:
    assert expand(text) == NODES[text]


@given(st.lists(st.integers(0, 400), min_size=1, max_size=8))
def test_node_lists_keep_their_order(numbers: list[int]) -> None:
    assert expand(f"n[{','.join(map(str, numbers))}]") == [f"n{number}" for number in numbers]


def test_slurm_with_one_kind_of_machine() -> None:
    environment = {
        "TFOD_ROLES": "chief=1,worker=2,ps=1,evaluator=1",
        "TFOD_ROLE": "worker",
        "SLURM_JOB_ID": "7",
        "SLURM_JOB_NODELIST": "n[9-12],m1",
        "SLURM_PROCID": "1",
    }
    members, task = allocated(environment)
    assert task == Task("worker", 1)
    assert members == {"chief": ["n9:15224"], "worker": ["n10:15225", "n11:15226"], "ps": ["n12:15227"]}


def test_slurm_with_components() -> None:
    environment = {
        "TFOD_ROLES": "chief=1,worker=2;ps=2",
        "TFOD_ROLE": "ps",
        "SLURM_JOB_ID": "8",
        "SLURM_HET_JOB_ID": "7",
        "SLURM_JOB_NODELIST_HET_GROUP_0": "gpu[1-3]",
        "SLURM_JOB_NODELIST_HET_GROUP_1": "cpu[1-2]",
        "SLURM_PROCID": "1",
    }
    members, task = allocated(environment)
    assert task == Task("ps", 1)
    assert members == {
        "chief": ["gpu1:15224"],
        "worker": ["gpu2:15225", "gpu3:15226"],
        "ps": ["cpu1:15227", "cpu2:15228"],
    }


def test_slurm_with_too_few_nodes() -> None:
    environment = {
        "TFOD_ROLES": "chief=1,worker=2", "TFOD_ROLE": "chief", "SLURM_JOB_ID": "1", "SLURM_JOB_NODELIST": "n[1-2]",
        "SLURM_PROCID": "0",
    }  # fmt: skip
    with pytest.raises(ValueError, match="SLURM_JOB_NODELIST names 2 nodes for 3 tasks"):
        allocated(environment)


def test_jobset() -> None:
    members = {"chief": ["j-chief-0-0.j:2222"], "worker": ["j-worker-0-0.j:2222"]}
    environment = {"TFOD_CLUSTER": json.dumps(members), "TFOD_ROLE": "worker", "JOB_COMPLETION_INDEX": "0"}
    assert discovery.find("kubernetes_jobset", environment) == (members, Task("worker", 0))


def test_skypilot() -> None:
    environment = {
        "TFOD_ROLES": "chief=1,worker=2",
        "SKYPILOT_NODE_IPS": "10.0.0.9\n10.0.0.8\n10.0.0.7",
        "SKYPILOT_NODE_RANK": "2",
    }
    members, task = discovery.find("skypilot", environment)
    assert members == {"chief": ["10.0.0.9:2222"], "worker": ["10.0.0.8:2223", "10.0.0.7:2224"]}
    assert task == Task("worker", 1)


def test_sagemaker(tmp_path: Path) -> None:
    """Hosts are in the order of their numbers, not of their names."""
    groups = [
        {"instance_group_name": "worker", "instance_type": "ml.g4dn.2xlarge", "hosts": ["algo-10", "algo-9"]},
        {"instance_group_name": "chief", "instance_type": "ml.g4dn.2xlarge", "hosts": ["algo-2"]},
    ]
    file = tmp_path / "resourceconfig.json"
    file.write_text(json.dumps({"current_host": "algo-10", "hosts": ["algo-2"], "instance_groups": groups}))
    members, task = discovery.find("sagemaker", {"TFOD_SAGEMAKER_FILE": str(file)})
    assert members == {"chief": ["algo-2:2222"], "worker": ["algo-9:2223", "algo-10:2224"]}
    assert task == Task("worker", 1)
