"""No file that is committed tells where it was made."""

from __future__ import annotations

import re
import subprocess

import pytest
from contracts import sources

# Put together here, so that this file does not hold what it looks for.
HOMES = re.compile(rf"(?<![\w.])/(?:{'|'.join(('home', 'Users'))})/\w")
PLACES = re.compile(rf"(?<![\w.])/(?:{'|'.join(('root', 'work'))})/")
LOCAL_URL = "file" + ":///"
INDEX_HOSTS = ("pypi." + "org", "python" + "hosted")


def committed() -> dict[str, str]:
    """Every text file that git has, and what it holds now."""
    # Git refuses a folder of another user, as a container may have it; a listing does no harm.
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z"]
    listed = subprocess.run(command, cwd=sources.ROOT, capture_output=True, text=True, check=True).stdout
    found = {}
    for name in filter(None, listed.split("\0")):
        path = sources.ROOT / name
        content = path.read_bytes() if path.is_file() else b""
        if b"\0" not in content:
            found[name] = content.decode()
    return found


@pytest.fixture(scope="module")
def files() -> dict[str, str]:
    """The committed files; a copy without its history has no list of them."""
    if not (sources.ROOT / ".git").exists():
        pytest.skip("this copy of the project is not a git checkout")
    return committed()


def lines(files: dict[str, str], pattern: re.Pattern[str] | str) -> list[str]:
    """`file:line: text` of every match."""
    wanted = re.compile(re.escape(pattern)) if isinstance(pattern, str) else pattern
    return [
        f"{name}:{number}: {line.strip()[:100]}"
        for name, text in files.items()
        for number, line in enumerate(text.splitlines(), start=1)
        if wanted.search(line)
    ]


@pytest.mark.parametrize("pattern", [HOMES, PLACES, LOCAL_URL], ids=["homes", "places", "local URLs"])
def test_no_path_of_one_machine(files: dict[str, str], pattern: re.Pattern[str] | str) -> None:
    assert lines(files, pattern) == []


@pytest.mark.parametrize("wanted", ["://", "--index-url", "--extra-index-url", "--find-links", *INDEX_HOSTS])
def test_the_lock_names_no_index(files: dict[str, str], wanted: str) -> None:
    assert lines({"requirements.lock": files["requirements.lock"]}, wanted) == []


def test_every_locked_package_has_a_hash(files: dict[str, str]) -> None:
    requirements = re.split(r"\n(?=[a-z0-9])", files["requirements.lock"])[1:]
    assert len(requirements) > 50
    assert [text.split()[0] for text in requirements if "--hash=sha256:" not in text] == []


@pytest.mark.parametrize("line", ["cd /{}/me/project", "path='/{}/x'", "see /{}/x"])
def test_how_paths_are_found(line: str) -> None:
    for name in ("home", "Users", "root", "work"):
        files = {"a.txt": f"fine\n{line.format(name)}"}
        assert len(lines(files, HOMES) + lines(files, PLACES)) == 1
    assert not lines({"a.txt": "net/work/x ../work/x work/ /workspace-x /rooted"}, PLACES)
