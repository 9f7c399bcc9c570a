"""The launcher, with small modules that report in the same way as the engine."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cloud.tasks.launch import RETRY, STOPPED

ROOT = Path(__file__).parents[3]
WORKER = json.dumps({"cluster": {"chief": ["a:1"], "worker": ["b:1"]}, "task": {"type": "worker", "index": 0}})
HEAD = """
import json, os, signal, sys, time
def send(event, **fields): print(json.dumps({"event": event, **fields}), flush=True)
"""


def start(folder: Path, module: str, *words: str, **environment: str) -> subprocess.Popen[str]:
    (folder / "trainer.py").write_text(HEAD + module)
    return subprocess.Popen(
        [sys.executable, "-m", "cloud.tasks.launch", *words, "--", "trainer", "--config=there.config", "--steps=9"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{folder}", **environment},
    )


def launched(folder: Path, module: str, *words: str, **environment: str) -> tuple[int, list[str]]:
    process = start(folder, module, *words, **environment)
    out = process.communicate(timeout=60)[0]
    return process.returncode, out.splitlines()


def test_progress(tmp_path: Path) -> None:
    status, lines = launched(
        tmp_path,
        """
send("start", step=2, steps=9)
for step in (3, 4, 9):
    send("progress", step=step, losses={"Loss/a": 1, "Loss/total_loss": 2.5}, learning_rate=0.004)
send("result", step=9, checkpoint="x")
""",
        TF_CONFIG=WORKER,
    )
    assert status == 0
    assert lines[0].startswith("worker-0: {")
    assert lines[1:] == [
        "worker-0: starts at step 2 of 9",
        "worker-0: step 3 of 9, loss 2.5, learning rate 0.004",
        "worker-0: step 9 of 9, loss 2.5, learning rate 0.004",
        "worker-0: done at step 9",
    ]


def test_the_engine_gets_tf_config_and_the_config_that_came_along(tmp_path: Path) -> None:
    status, lines = launched(
        tmp_path,
        """
(config,) = [word.partition("=")[2] for word in sys.argv if word.startswith("--config=")]
assert json.loads(os.environ["TF_CONFIG"])["cluster"] == {"chief": ["a:1"], "worker": ["b:1"]}
print(os.path.basename(config), open(config).read(), sys.argv[2:], file=sys.stderr)
send("result", step=9)
""",
        TF_CONFIG=WORKER.replace("chief", "master"),
        TFOD_PIPELINE_CONFIG="model {}\n",
    )
    assert status == 0
    assert "pipeline.config model {}" in lines[1]
    assert "['--steps=9']" in lines[2]


def test_one_that_is_alone_has_no_tf_config(tmp_path: Path) -> None:
    alone = json.dumps({"cluster": {"chief": ["a:1"]}, "task": {"type": "chief", "index": 0}})
    status, lines = launched(tmp_path, "assert 'TF_CONFIG' not in os.environ\nsend('result', step=1)", TF_CONFIG=alone)
    assert (status, lines) == (0, ["chief-0: alone", "chief-0: done at step 1"])


@pytest.mark.parametrize("how", ["sys.exit(4)", "os.kill(os.getpid(), signal.SIGKILL)"])
def test_an_error_of_the_engine_may_be_tried_again(tmp_path: Path, how: str) -> None:
    assert launched(tmp_path, how, TF_CONFIG=WORKER)[0] == RETRY


@pytest.mark.slow
def test_restarts(tmp_path: Path) -> None:
    module = f"""
mark = {str(tmp_path / "mark")!r}
tries = os.path.getsize(mark) if os.path.exists(mark) else 0
open(mark, "a").write("x")
send("result", step=9) if tries == 2 else sys.exit(4)
"""
    status, lines = launched(tmp_path, module, "--restarts=2", TF_CONFIG=WORKER)
    assert status == 0
    assert [line for line in lines if "tries left" in line] == [
        f"worker-0: the engine's process ended with status 4. {left} tries left." for left in (2, 1)
    ]


def test_bad_input_is_not_tried_again(tmp_path: Path) -> None:
    module = "send('error', message='no records match x'); sys.exit(2)"
    status, lines = launched(tmp_path, module, "--restarts=2", TF_CONFIG=WORKER)
    assert (status, lines[1:]) == (2, ["worker-0: no records match x"])


def test_sigterm_reaches_the_engine(tmp_path: Path) -> None:
    module = """
def stop(*_):
    send("error", message="Stopped at step 5; its checkpoint is saved."); sys.exit(130)
signal.signal(signal.SIGINT, stop)
send("start", step=0, steps=9)
time.sleep(60)
"""
    process = start(tmp_path, module, TF_CONFIG=WORKER)
    assert process.stdout
    assert "worker-0" in process.stdout.readline()
    assert "starts at step 0" in process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    out = process.communicate(timeout=30)[0]
    assert process.returncode == STOPPED
    assert "worker-0: Stopped at step 5; its checkpoint is saved." in out


def test_the_engine_ends_with_its_launcher(tmp_path: Path) -> None:
    """After its launcher was killed, no engine is left that holds the port."""
    module = f"""
import threading
open({str(tmp_path / "pid")!r}, "w").write(str(os.getpid()))
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(1)), daemon=True).start()
send("start", step=0, steps=9)
time.sleep(60)
"""
    process = start(tmp_path, module, TF_CONFIG=WORKER)
    assert process.stdout
    for _ in range(2):
        process.stdout.readline()
    engine = int((tmp_path / "pid").read_text())
    process.kill()
    process.communicate()
    deadline = time.monotonic() + 20
    while Path(f"/proc/{engine}").exists() and "Z" not in Path(f"/proc/{engine}/stat").read_text().split()[2]:
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("words", "environment", "says"),
    [
        (["--cluster=kubernetes_jobset"], {}, "--cluster=kubernetes_jobset: the environment has no 'TFOD_CLUSTER'."),
        (["--cluster=slurm"], {"TFOD_ROLES": "chief=x"}, "--cluster=slurm: invalid literal"),
        ([], {"TF_CONFIG": "{"}, "--cluster=tf_config: Expecting property name"),
        (["--cluster=kubernetes"], {}, "should be one of <kubernetes_jobset|sagemaker|skypilot|slurm|tf_config>"),
    ],
)
def test_an_environment_that_is_none(tmp_path: Path, words: list[str], environment: dict[str, str], says: str) -> None:
    status, lines = launched(tmp_path, "sys.exit(0)", *words, **environment)
    assert status in (1, 2)
    assert len(lines) == 1
    assert says in lines[0]
