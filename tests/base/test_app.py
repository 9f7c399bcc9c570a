"""How a command starts and ends, and `tfod`, which starts them by name."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from absl import flags

import tfod_tools
from tfod_tools import __main__ as tfod
from tfod_tools import app
from tfod_tools.base.errors import AnnotationError, EngineError, Interrupted, Problems, TfodError, UsageError

ROOT = Path(__file__).parents[2]
DOC = """Counts boxes.

Exit codes: 0 fine.
"""


@pytest.fixture
def command() -> flags.FlagValues:
    """The flags of a command of our own."""
    values = flags.FlagValues()
    flags.DEFINE_integer("boxes", 3, "How many boxes.", lower_bound=1, flag_values=values)
    flags.DEFINE_string("output", None, "Where to.", required=True, flag_values=values)
    return values


def fails(*arguments: object) -> int:
    raise AssertionError("main was called")


def user_environment() -> dict[str, str]:
    """That of a user's shell: Python buffers what it prints."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}


@pytest.mark.parametrize("returned", [0, None, 3])
def test_a_good_run(command: flags.FlagValues, capsys: pytest.CaptureFixture[str], returned: int | None) -> None:
    def main(arguments: Sequence[str]) -> int | None:
        print(command.boxes, command.output, *arguments)
        return returned

    assert app.status(main, command, DOC, ["count", "--boxes=5", "one", "--output=x", "two"]) == (returned or 0)
    assert capsys.readouterr() == ("5 x one two\n", "")


def test_run_exits_with_the_status(command: flags.FlagValues) -> None:
    with pytest.raises(SystemExit) as caught:
        app.run(lambda arguments: 3, command, DOC, ["count", "--output=x"])
    assert caught.value.code == 3


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["-help"], ["--helpfull"], ["--boxes=0", "--help", "x"]])
def test_help(command: flags.FlagValues, capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    """Whatever else is said, and although a required flag is missing."""
    assert app.status(fails, command, DOC, ["count", *arguments]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.startswith(DOC)
    assert "--boxes: How many boxes." in out
    assert "--output: Where to." in out


def test_help_without_a_docstring(command: flags.FlagValues, capsys: pytest.CaptureFixture[str]) -> None:
    assert app.status(fails, command, None, ["count", "--help"]) == 0
    assert "--boxes" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--output=x", "--boxs=3"], "'boxs'"),
        (["--output=x", "--boxes=many"], "--boxes=many"),
        (["--output=x", "--boxes=0"], "--boxes=0"),
        (["--boxes=3"], "--output"),
        (["--output"], "--output"),
    ],
)
def test_a_wrong_flag_is_one_line(
    command: flags.FlagValues, capsys: pytest.CaptureFixture[str], arguments: list[str], expected: str
) -> None:
    assert app.status(fails, command, DOC, ["count", *arguments]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    assert expected in err
    assert err.endswith("Run with --help to see every flag.\n")


@pytest.mark.parametrize(
    ("words", "printed"),
    [
        (["a.config", "one.jpg", "two, three.jpg"], "a.config ['one.jpg', 'two, three.jpg'] 3"),
        (["--boxes", "5", "a.config", "--images=one.jpg"], "a.config ['one.jpg'] 5"),
        (["--images=one.jpg", "--nojson", "a.config"], "a.config ['one.jpg'] 3"),
        (["a.config", "one.jpg", "--boxes=4", "two.jpg"], "a.config ['one.jpg', 'two.jpg'] 4"),
    ],
)
def test_what_a_command_is_about_needs_no_flag(
    capsys: pytest.CaptureFixture[str], words: list[str], printed: str
) -> None:
    values = app.Flags("config", "images")
    flags.DEFINE_integer("boxes", 3, "How many boxes.", flag_values=values)
    flags.DEFINE_string("config", None, "The config.", required=True, flag_values=values)
    flags.DEFINE_list("images", None, "Images.", required=True, flag_values=values)

    def main(arguments: Sequence[str]) -> None:
        print(values.config, values.images, values.boxes, *arguments)

    assert app.status(main, values, DOC, ["count", *words]) == 0
    assert capsys.readouterr() == (f"{printed}\n", "")


def test_the_help_says_which_name_may_be_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    values = app.Flags("config")
    flags.DEFINE_string("config", None, "The config.", flag_values=values)
    assert app.status(fails, values, DOC, ["count", "--help"]) == 0
    assert "--config: The config. The name --config may be left out.\n" in capsys.readouterr().out


def test_a_value_with_and_without_its_flag_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    values = app.Flags("config")
    flags.DEFINE_string("config", None, "The config.", required=True, flag_values=values)
    assert app.status(fails, values, DOC, ["count", "a.config", "--config=b.config"]) == 1
    expected = "'a.config' is taken as --config, but --config is given too. Leave one of them out.\n"
    assert capsys.readouterr() == ("", expected)


def test_errors_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    values = app.Flags()

    def main(arguments: Sequence[str]) -> int:
        raise Problems(
            [AnnotationError("is \x1b[31mflat.", path="a.xml", line=3), TfodError("two")], advice="Correct the files."
        )

    assert app.status(main, values, DOC, ["count", "--json"]) == 2
    out, err = capsys.readouterr()
    assert err == "a.xml:3: is \\x1b[31mflat.\ntwo\nCorrect the files.\n"
    document = json.loads(out)
    assert (document["exit_code"], document["advice"]) == (2, "Correct the files.")
    first, second = document["errors"]
    assert first == {"message": "is \x1b[31mflat.", "path": "a.xml", "line": 3}
    assert second == {"message": "two", "path": None, "line": None}


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--json", "--boxs=3"], 1, "Unknown command line flag 'boxs'"),
        (["--json"], 130, "Stopped."),
        (["--json", "--path=none"], 2, "No such file or directory. Check the path and its permissions."),
    ],
)
def test_every_error_of_the_user_is_json_too(
    capsys: pytest.CaptureFixture[str], words: list[str], code: int, message: str
) -> None:
    values = app.Flags()
    flags.DEFINE_string("path", None, "A file.", flag_values=values)

    def main(arguments: Sequence[str]) -> int:
        if values.path:
            return len(Path(values.path).read_text())
        raise KeyboardInterrupt

    assert app.status(main, values, DOC, ["count", *words]) == code
    document = json.loads(capsys.readouterr().out)
    assert document["exit_code"] == code
    assert document["errors"][0]["message"].startswith(message)


@pytest.mark.parametrize(
    ("error", "code", "printed"),
    [
        (AnnotationError("is\nflat.", path="a.xml", line=3), 2, "a.xml:3: is flat.\n"),
        (UsageError("--boxes is too much."), 1, "--boxes is too much.\n"),
        (EngineError("the engine stopped."), 4, "the engine stopped.\n"),
        (Interrupted("Stopped."), 130, "Stopped.\n"),
        (Problems([TfodError("one"), TfodError("two")]), 2, "one\ntwo\n"),
        (KeyboardInterrupt(), 130, "Stopped.\n"),
    ],
)
def test_errors_of_the_user(
    command: flags.FlagValues, capsys: pytest.CaptureFixture[str], error: BaseException, code: int, printed: str
) -> None:
    def main(arguments: Sequence[str]) -> int:
        raise error

    assert app.status(main, command, DOC, ["count", "--output=x"]) == code
    assert capsys.readouterr() == ("", printed)


def test_a_bug_keeps_its_traceback(command: flags.FlagValues, capsys: pytest.CaptureFixture[str]) -> None:
    """And a status of its own: Python's, 1, means usage here."""
    assert app.status(lambda arguments: 1 // 0, command, DOC, ["count", "--output=x"]) == 70
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("Traceback (most recent call last):\n")
    assert err.endswith("\nZeroDivisionError: integer division or modulo by zero\n")
    assert "lambda arguments: 1 // 0" in err


def test_a_file_that_the_machine_refuses_is_one_line(
    command: flags.FlagValues, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def main(arguments: Sequence[str]) -> int:
        return len(Path(command.output).read_text())

    (tmp_path / "file").touch()
    for path, reason in [
        (tmp_path / "none", "No such file or directory"),
        (tmp_path, "Is a directory"),
        (tmp_path / "file" / "x", "Not a directory"),
    ]:
        assert app.status(main, command, DOC, ["count", f"--output={path}"]) == 2
        assert capsys.readouterr() == ("", f"{path}: {reason}. Check the path and its permissions.\n")


def test_an_oserror_of_no_file_is_a_bug(command: flags.FlagValues, capsys: pytest.CaptureFixture[str]) -> None:
    def main(arguments: Sequence[str]) -> int:
        raise OSError(28, "No space left on device")

    assert app.status(main, command, DOC, ["count", "--output=x"]) == 70
    err = capsys.readouterr().err
    assert err.startswith("Traceback (most recent call last):\n")
    assert err.endswith("OSError: [Errno 28] No space left on device\n")


def test_no_arguments() -> None:
    app.no_arguments([])
    with pytest.raises(UsageError, match=r"unexpected argument 'steps=5'\. Write flags as --name=value"):
        app.no_arguments(["steps=5", "x"])


@pytest.mark.parametrize(("words", "status"), [(1, 0), (100_000, 141)])
@pytest.mark.parametrize("arguments", [["--help"], []], ids=["help", "run"])
def test_nobody_reads_the_output(words: int, status: int, arguments: list[str]) -> None:
    """As with `| head -1`: no traceback; the status tells whether the command had finished by then."""
    code = (
        "import sys\n"
        "from absl import flags\n"
        "from tfod_tools import app\n"
        f"text = 'word ' * {words}\n"
        "app.run(lambda arguments: print(text), flags.FlagValues(), text, ['x', *sys.argv[1:]])"
    )
    assert unread(code, *arguments) == (status, "")


def test_what_a_finished_command_found_is_told_although_nobody_reads() -> None:
    code = (
        "from absl import flags\n"
        "from tfod_tools import app\n"
        "app.run(lambda arguments: print('skipped') or 3, flags.FlagValues(), '', ['x'])"
    )
    assert unread(code) == (3, "")


def unread(code: str, *arguments: str) -> tuple[int, str]:
    """Status and standard error of `code`, whose standard output nobody reads."""
    ours, theirs = os.pipe()
    os.close(ours)
    try:
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments],
            stdout=theirs, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=user_environment(), check=False,
        )  # fmt: skip
    finally:
        os.close(theirs)
    return done.returncode, done.stderr


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"], ["help"]])
def test_tfod_lists_the_commands(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    assert tfod.main(arguments) == 0
    out, err = capsys.readouterr()
    assert err == ""
    listed = {line.split()[0]: line.split(maxsplit=1)[1] for line in out.splitlines()[2:]}
    assert listed == tfod.commands()
    assert {"make_records", "make_config", "train", "evaluate", "export", "predict", "demo", "engine"} <= set(listed)
    assert not {"app", "base"} & set(listed)


def test_the_list_follows_the_work() -> None:
    """From annotations to pictures; then what is needed now and then."""
    names = list(tfod.commands())
    work = ["make_records", "make_config", "train", "evaluate", "export", "predict", "submit", "inspect_records"]
    assert [name for name in names if name in work] == work
    assert set(names) <= set(tfod._ORDER)


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert tfod.main(["--version"]) == 0
    assert capsys.readouterr() == (f"tfod-tools {tfod_tools.__version__}\n", "")


@pytest.mark.parametrize("name", tfod.commands())
def test_a_command_is_summed_up_in_one_line(name: str) -> None:
    summary = tfod.commands()[name]
    assert summary.endswith(".")
    assert len(summary) <= 120


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("trian", "No command is called 'trian'. Did you mean train?"),
        (
            "make_record",
            "No command is called 'make_record'. Did you mean make_records or make_config or inspect_records?",
        ),
        ("app", "No command is called 'app'."),
        ("xyz", f"No command is called 'xyz'. Known: {', '.join(sorted(tfod.commands()))}."),
    ],
)
def test_tfod_suggests(capsys: pytest.CaptureFixture[str], name: str, expected: str) -> None:
    assert tfod.main([name, "--help"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(expected)
    assert len(err.splitlines()) == 1


def both_ways(folder: Path, command: str, *arguments: str) -> list[subprocess.CompletedProcess[str]]:
    """What `tfod COMMAND` and `python -m tfod_tools.COMMAND` do in `folder`."""
    environment = user_environment() | {"PYTHONPATH": str(ROOT)}
    return [
        subprocess.run([sys.executable, "-m", *words, *arguments], capture_output=True, text=True, cwd=folder,
                       env=environment, check=False)
        for words in (["tfod_tools", command], [f"tfod_tools.{command}"])
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        (["make_records"], 1, "annotations"),
        (["make_records", "--annotations=there_is_none", "--output=out"], 2, "there_is_none: does not exist"),
        (["train", "--config=there_is_none", "--model_dir=out"], 2, "there_is_none: there is no such file"),
    ],
)
def test_tfod_is_the_command(tmp_path: Path, arguments: list[str], code: int, expected: str) -> None:
    for done in both_ways(tmp_path, *arguments):
        assert (done.returncode, done.stdout) == (code, "")
        assert expected in done.stderr
        assert len(done.stderr.splitlines()) == 1
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("name", tfod.commands())
def test_the_help_is_the_same_both_ways(tmp_path: Path, name: str) -> None:
    """And does not tell where the package lies."""
    by_name, by_module = both_ways(tmp_path, name, "--help")
    assert str(ROOT) not in by_module.stdout
    assert by_name.stdout == by_module.stdout
    assert (by_name.returncode, by_name.stderr) == (by_module.returncode, by_module.stderr) == (0, "")
