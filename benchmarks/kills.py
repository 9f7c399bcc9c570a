"""Kills runs of `make_records` at random moments and repeats them. Do they give the same bytes as an undisturbed run?

    python benchmarks/kills.py [KILLS [IMAGES [SEED]]]

Half of the runs write in one process, half in four. Each is killed once with SIGKILL, at a random moment of its
writing. Only the parent is killed, so its workers must notice by themselves.
"""

import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from record_builders.sources import shapes


def command(voc: Path, output: Path, workers: int) -> list[str]:
    """A run of make_records over `voc`."""
    flags = [f"--annotations={voc}", f"--output={output}", "--shards=16", f"--workers={workers}"]
    return [sys.executable, "-m", "tfod_tools.make_records", *flags]


def wait_for_first_file(run: subprocess.Popen[bytes], output: Path) -> None:
    """Waits until the run begins to write, or has ended."""
    while not output.exists() and run.poll() is None:
        time.sleep(0.001)


def content(folder: Path) -> dict[str, bytes]:
    """The content of all files below a folder, also of hidden ones."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def main() -> int:
    """Prints how many runs were killed while writing, how many shards were kept, and how many gave other bytes."""
    kills, images, seed = map(int, [*sys.argv[1:], *("100", "2000", "0")[len(sys.argv) - 1 :]])
    rng = random.Random(seed)
    hit = kept = different = 0
    with tempfile.TemporaryDirectory() as folder:
        voc = Path(folder, "voc")
        shapes.write_voc(voc, images)
        undisturbed = Path(folder, "undisturbed")
        run = subprocess.Popen(command(voc, undisturbed, 1), stdout=subprocess.DEVNULL)
        wait_for_first_file(run, undisturbed)
        began = time.perf_counter()
        run.wait()
        writing_s = time.perf_counter() - began
        expected = content(undisturbed)
        for number in range(kills):
            output, workers = Path(folder, "killed"), (1, 4)[number % 2]
            run = subprocess.Popen(command(voc, output, workers), stdout=subprocess.DEVNULL)
            wait_for_first_file(run, output)
            time.sleep(rng.uniform(0, writing_s))
            run.kill()
            run.wait()
            hit += content(output) != expected
            kept += len(list(output.glob(".make_records/*.json")))
            subprocess.run(command(voc, output, workers), check=True, stdout=subprocess.DEVNULL)
            different += content(output) != expected
            shutil.rmtree(output)
    print(f"{kills} kills over {images} images, seed {seed}: {hit} while it wrote, {kept} finished shards were kept")
    print(f"runs with other bytes than an undisturbed run: {different}")
    return int(different > 0)


if __name__ == "__main__":
    sys.exit(main())
