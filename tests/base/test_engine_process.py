"""A command and its child process: real children, written for the test, that serve on the engine's channel."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tfod_tools.base import engine_process
from tfod_tools.base.errors import EngineError, Interrupted, TfodError

ROOT = Path(__file__).parents[2]
PATIENCE_S = 120
STOPPING = "\nStopping. Press Ctrl-C again to stop at once.\n"

CHILD = """
import fcntl, json, os, signal, sys, time
from absl import flags
from tfod_tools.base.errors import CheckpointError, ConfigError, Interrupted, Problems
from tfod_tools.engine import channel

FLAGS = flags.FlagValues()
TEXT = flags.DEFINE_string("text", "none", "Some text.", flag_values=FLAGS)

def hold(path):
    \"\"\"Locks a file; the lock is gone when the process is, also when nobody has waited for it yet.\"\"\"
    fcntl.flock(os.open(path, os.O_RDWR | os.O_CREAT), fcntl.LOCK_EX)

def main(events):
{body}

channel.serve(main, FLAGS)
"""

PARENT = """
import sys
from pathlib import Path
from tfod_tools.base import engine_process
from tfod_tools.base.errors import TfodError
try:
    show = lambda event: print(event["event"], flush=True)
    print(engine_process.run(["entries_of_a_test.entry"], log=Path("log"), on_event=show))
except TfodError as error:
    print(type(error).__name__, error, flush=True)
    sys.exit(error.exit_code)
"""

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

Write = Callable[[str], str]


@pytest.fixture
def entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes an entry whose `main(events)` has the given body; returns its module's name."""
    package = tmp_path / "entries_of_a_test"
    package.mkdir()
    (package / "__init__.py").touch()
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    monkeypatch.chdir(tmp_path)

    def write(body: str) -> str:
        indented = textwrap.indent(textwrap.dedent(body).strip(), "    ")
        (package / "entry.py").write_text(CHILD.replace("{body}", indented))
        return "entries_of_a_test.entry"

    return write


@pytest.fixture
def parents() -> Iterator[list[subprocess.Popen[str]]]:
    """Processes that are ended with the test."""
    started: list[subprocess.Popen[str]] = []
    yield started
    for process in started:
        with process:
            process.kill()


def run(module: str, *arguments: str) -> tuple[engine_process.Event, list[engine_process.Event]]:
    """The result, and all events as they came."""
    events: list[engine_process.Event] = []
    return engine_process.run([module, *arguments], log=Path("log"), on_event=events.append), events


def start(parents: list[subprocess.Popen[str]], *before: str) -> subprocess.Popen[str]:
    """A process of its own that runs the entry and prints the names of the events, then the outcome.

    The words `before` come before those of the command, as `nohup` does. What these tests themselves were started with,
    which may be `nohup` too, does not count.
    """
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ["PYTHONPATH"]])}
    parents.append(
        subprocess.Popen(
            ["env", "--default-signal=HUP", *before, sys.executable, "-c", PARENT],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
        )
    )  # fmt: skip
    return parents[-1]


def wait_for(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdout is not None
    assert process.stdout.readline() == f"{line}\n"


def ended(lock: Path) -> bool:
    """Whether the child that holds the lock ends within our patience."""
    deadline = time.monotonic() + PATIENCE_S
    with lock.open("rb") as file:
        while time.monotonic() < deadline:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(0.05)
            else:
                return True
    return False


def test_events_arrive_in_order_and_the_result_is_returned(entry: Write) -> None:
    module = entry("""
        for step in range(500):
            events.send("progress", step=step, text="größer\\n猫")
        events.send("result", text=TEXT.value)
    """)
    result, events = run(module, "--text=a b=c'd")
    assert result == {"event": "result", "text": "a b=c'd"}
    progress = [{"event": "progress", "step": step, "text": "größer\n猫"} for step in range(500)]
    assert events == progress


def test_events_arrive_while_the_child_runs(entry: Write, tmp_path: Path) -> None:
    """The child goes on only when the parent has acted upon its first event."""
    module = entry("""
        events.send("progress")
        deadline = time.monotonic() + 120
        while not os.path.exists("seen") and time.monotonic() < deadline:
            time.sleep(0.02)
        events.send("result", seen=os.path.exists("seen"))
    """)
    result = engine_process.run([module], log=Path("log"), on_event=lambda event: Path("seen").touch())
    assert result["seen"] is True


@pytest.mark.parametrize("size", [100, 5_000_000])
def test_events_of_any_size(entry: Write, size: int) -> None:
    result, _ = run(entry(f"events.send('result', boxes=[0.5] * {size // 5})"))
    assert len(result["boxes"]) == size // 5


def test_stray_output_goes_to_the_log(entry: Write) -> None:
    module = entry("""
        print("printed")
        os.write(1, b"written\\n")
        os.system("echo by a process")
        print("complained", file=sys.stderr)
        print('{"event": "result", "fake": true}')
        events.send("result")
    """)
    result, events = run(module)
    assert (result, events) == ({"event": "result"}, [])
    log = Path("log").read_text()
    for line in ("printed", "written", "by a process", "complained", "fake"):
        assert line in log


def test_the_log_is_appended_to(entry: Write, tmp_path: Path) -> None:
    log = tmp_path / "new" / "folder" / "train.log"
    for text in ("first", "second"):
        engine_process.run([entry("os.system('echo ' + TEXT.value)\nevents.send('result')"), f"--text={text}"], log=log)
    assert log.read_text().splitlines() == ["first", "second"]


@pytest.mark.parametrize(
    ("raised", "kind", "code", "message"),
    [
        ("CheckpointError('holds no\\nweights.', path='model')", TfodError, 2, "model: holds no weights."),
        ("ConfigError('is wrong.', path='a.config', line=3)", TfodError, 2, "a.config:3: is wrong."),
        ("Interrupted('Stopped at step 7.')", Interrupted, 130, "Stopped at step 7."),
        ("KeyboardInterrupt", Interrupted, 130, "Stopped."),
    ],
)
def test_errors_of_the_user_come_back(
    entry: Write, raised: str, kind: type[TfodError], code: int, message: str
) -> None:
    """In the exception alone."""
    events: list[engine_process.Event] = []
    with pytest.raises(TfodError) as caught:
        engine_process.run([entry(f"events.send('progress')\nraise {raised}")], log=Path("log"), on_event=events.append)
    assert events == [{"event": "progress"}]
    assert type(caught.value) is kind
    assert (str(caught.value), caught.value.exit_code) == (message, code)


@pytest.mark.parametrize("raised", ["ZeroDivisionError('by\\nzero')", "MemoryError('by zero')", "OSError('by zero')"])
def test_any_other_error_is_the_engines(entry: Write, raised: str) -> None:
    with pytest.raises(EngineError) as caught:
        run(entry(f"raise {raised}"))
    name = raised.partition("(")[0]
    assert str(caught.value) == f"the engine stopped with {name}: by zero The engine's log: log"
    assert caught.value.exit_code == 4
    log = Path("log").read_text()
    assert "Traceback (most recent call last)" in log
    assert f"raise {name}" in log


def test_a_long_message_is_cut(entry: Write) -> None:
    with pytest.raises(EngineError) as caught:
        run(entry("raise ValueError('word ' * 1000)"))
    assert len(str(caught.value)) < 500
    assert Path("log").read_text().count("word ") > 900


def test_an_error_after_the_result_counts(entry: Write) -> None:
    with pytest.raises(EngineError, match="ValueError"):
        run(entry("events.send('result')\nraise ValueError"))


def test_a_wrong_flag_is_told(entry: Write) -> None:
    with pytest.raises(TfodError, match=r"^Unknown command line flag 'txt'") as caught:
        run(entry("events.send('result')"), "--txt=x")
    assert (type(caught.value), caught.value.exit_code) == (TfodError, 1)


@pytest.mark.parametrize("statement", ["import not_installed_anywhere.part", "from not_installed_anywhere import part"])
def test_a_missing_package_is_told(entry: Write, statement: str) -> None:
    with pytest.raises(TfodError) as caught:
        run(entry(statement))
    assert str(caught.value) == "not_installed_anywhere is not installed. Run: pip install 'tfod-tools[train]'"
    assert caught.value.exit_code == 1
    assert "Traceback (most recent call last)" in Path("log").read_text()


@pytest.mark.skipif(sys.version_info < (3, 11), reason="Python has no PYTHONSAFEPATH")
def test_nothing_in_the_current_folder_is_imported(
    entry: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A checkout of the engine lies in many a user's folder."""
    module = entry("""
        import importlib.util
        events.send("result", engine=importlib.util.find_spec("object_detection").origin)
    """)
    here = tmp_path / "here"
    (here / "object_detection").mkdir(parents=True)
    (here / "object_detection" / "__init__.py").touch()
    (here / "json.py").write_text("raise ValueError('the module of the current folder')")
    monkeypatch.chdir(here)
    result, _ = run(module)
    assert not Path(result["engine"]).is_relative_to(here)


@pytest.mark.parametrize("name", ["SIGKILL", "SIGSEGV", "SIGTERM"])
@pytest.mark.parametrize("event", ["progress", "result"])
def test_a_child_that_is_killed(entry: Write, name: str, event: str) -> None:
    with pytest.raises(EngineError, match=rf"was killed by {name}\..*Its log: log$") as caught:
        run(entry(f"events.send('{event}')\nos.kill(os.getpid(), signal.{name})"))
    assert ("memory" in str(caught.value)) == (name == "SIGKILL")


def test_a_child_that_is_killed_in_the_middle_of_an_event(entry: Write) -> None:
    """A large event is more than one write to the pipe."""
    with pytest.raises(EngineError, match="was killed by SIGKILL"):
        run(
            entry("""
            events._out.write('{"event": "image", "boxes": [0.5, 0.')
            events._out.flush()
            os.kill(os.getpid(), signal.SIGKILL)
        """)
        )


@pytest.mark.parametrize("status", [0, 7])
def test_a_child_that_says_nothing(entry: Write, status: int) -> None:
    with pytest.raises(EngineError, match=f"the engine's process ended with status {status}. Its log: log"):
        run(entry(f"os._exit({status})"))


def test_an_entry_that_does_not_exist(entry: Write) -> None:
    entry("pass")
    with pytest.raises(EngineError, match="ended with status 1"):
        run("entries_of_a_test.no_such_entry")
    assert "No module named" in Path("log").read_text()


def test_a_failing_listener_ends_the_child(entry: Write) -> None:
    def fail(event: Any) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        engine_process.run(
            [entry("hold('lock')\nevents.send('progress')\ntime.sleep(600)")], log=Path("log"), on_event=fail
        )
    assert ended(Path("lock"))


@pytest.mark.parametrize("body", ["events.send('result')", "raise ValueError"])
def test_signal_handlers_are_put_back(entry: Write, body: str) -> None:
    before = [signal.getsignal(number) for number in STOP_SIGNALS]
    with contextlib.suppress(EngineError):
        run(entry(body))
    assert [signal.getsignal(number) for number in STOP_SIGNALS] == before


def test_numbers_that_are_not_finite_arrive_as_null(entry: Write) -> None:
    result, _ = run(entry("events.send('result', loss=float('nan'), losses={'a': [float('inf'), 1.5]})"))
    assert result == {"event": "result", "loss": None, "losses": {"a": [None, 1.5]}}


STOPS_WHEN_ASKED = """
    stop = channel.stop_requests()
    hold("lock")
    events.send("ready")
    if not stop.wait(120):
        raise ValueError("nobody asked")
    raise Interrupted("Stopped at step 7; the checkpoint is saved.")
"""


@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_a_signal_to_the_command_asks_the_child_to_stop(
    entry: Write, parents: list[subprocess.Popen[str]], number: signal.Signals
) -> None:
    entry(STOPS_WHEN_ASKED)
    parent = start(parents)
    wait_for(parent, "ready")
    parent.send_signal(number)
    out, err = parent.communicate(timeout=PATIENCE_S)
    assert out.splitlines() == ["Interrupted Stopped at step 7; the checkpoint is saved."]
    assert err == STOPPING
    assert parent.returncode == 130


def test_the_end_of_a_terminal_asks_the_child_to_stop(entry: Write, parents: list[subprocess.Popen[str]]) -> None:
    """Nobody is there to be told so."""
    entry("""
        stop = channel.stop_requests()
        events.send("ready")
        if stop.wait(120):
            open("saved", "w").close()
    """)
    parent = start(parents)
    wait_for(parent, "ready")
    assert parent.stderr is not None
    parent.stderr.close()
    parent.send_signal(signal.SIGHUP)
    parent.wait(PATIENCE_S)
    assert Path("saved").exists()


def test_nohup(entry: Write, parents: list[subprocess.Popen[str]]) -> None:
    """Who closes the terminal of a command that began with `nohup` wants it to go on; who ends it wants it to end."""
    entry("""
        stop = channel.stop_requests()
        events.send("ready")
        events.send("asked" if stop.wait(1) else "not asked")
        events.send("asked" if stop.wait(120) else "not asked")
    """)
    parent = start(parents, "nohup")
    wait_for(parent, "ready")
    parent.send_signal(signal.SIGHUP)
    wait_for(parent, "not asked")
    parent.send_signal(signal.SIGTERM)
    wait_for(parent, "asked")
    _, err = parent.communicate(timeout=PATIENCE_S)
    assert err == STOPPING


def test_a_second_signal_ends_a_child_that_does_not_stop(entry: Write, parents: list[subprocess.Popen[str]]) -> None:
    """Which is the user's wish too, and not a lack of memory."""
    entry("""
        stop = channel.stop_requests()
        hold("lock")
        events.send("ready")
        stop.wait(120)
        events.send("asked")
        time.sleep(600)
    """)
    parent = start(parents)
    wait_for(parent, "ready")
    parent.send_signal(signal.SIGINT)
    wait_for(parent, "asked")
    parent.send_signal(signal.SIGINT)
    out, err = parent.communicate(timeout=PATIENCE_S)
    assert ended(Path("lock"))
    assert out.startswith("Interrupted ")
    assert err == STOPPING
    assert "memory" not in out
    assert parent.returncode == 130


def test_a_signal_before_the_child_listens(entry: Write, parents: list[subprocess.Popen[str]], tmp_path: Path) -> None:
    """In the first moments, Python itself ends the child by the signal."""
    entry("pass")
    early = 'print(\'{"event": "ready"}\', flush=True)\nimport time\ntime.sleep(600)\n'
    (tmp_path / "entries_of_a_test" / "entry.py").write_text(early)
    parent = start(parents)
    wait_for(parent, "ready")
    parent.send_signal(signal.SIGINT)
    out, _ = parent.communicate(timeout=PATIENCE_S)
    assert out.startswith("Interrupted ")
    assert parent.returncode == 130


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGALRM])
def test_the_child_does_not_outlive_the_command(
    entry: Write, parents: list[subprocess.Popen[str]], number: signal.Signals
) -> None:
    entry('hold("lock")\nevents.send("ready")\ntime.sleep(600)')
    parent = start(parents)
    wait_for(parent, "ready")
    parent.send_signal(number)
    parent.wait(PATIENCE_S)
    assert ended(Path("lock"))


@pytest.mark.parametrize("stdin", ["nothing", "a closed pipe"])
def test_without_a_parent_the_entry_runs_all_the_same(entry: Write, tmp_path: Path, stdin: str) -> None:
    """As on a cluster, where standard input means nothing and the events are the job's output."""
    module = entry("events.send('progress', step=1)\ntime.sleep(0.5)\nevents.send('result')")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(tmp_path)])}
    environment.pop(engine_process.ENDS_WITH_STDIN, None)
    ours, theirs = os.pipe()
    os.close(theirs)
    try:
        done = subprocess.run(
            [sys.executable, "-m", module],
            stdin=subprocess.DEVNULL if stdin == "nothing" else ours,
            capture_output=True,
            env=environment,
            check=True,
        )
    finally:
        os.close(ours)
    assert [json.loads(line)["event"] for line in done.stdout.splitlines()] == ["progress", "result"]
