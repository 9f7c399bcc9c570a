"""Record making against copying: `make_records` and a file-by-file copy of the same images, in turn, on one disk.

    python benchmarks/records.py [IMAGES [ROUNDS]]

The images are those of the demo, each padded with noise after its last marker to 150 kB, which is what photographs of
0.3 megapixels take. Both sides sync what they wrote; files are in the page cache for both.
"""

import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from record_builders import shapes

IMAGE_BYTES = 150_000


def copy(source: Path, target: Path) -> float:
    """Seconds to copy the files of `source` one by one and sync them."""
    began = time.perf_counter()
    target.mkdir()
    for path in sorted(source.iterdir()):
        copied = Path(shutil.copyfile(path, target / path.name))
        descriptor = os.open(copied, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
    return time.perf_counter() - began


def records(voc: Path, target: Path) -> float:
    """Seconds of the whole process of make_records."""
    began = time.perf_counter()
    argv = ["-m", "tfod_tools.make_records", f"--annotations={voc}", f"--output={target}", "--shards=4"]
    subprocess.run([sys.executable, *argv], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def main() -> None:
    """Prints both times and their ratio: minimum, median, maximum."""
    images = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    with tempfile.TemporaryDirectory() as folder:
        voc = Path(folder, "voc")
        shapes.write_voc(voc, images)
        for path in (voc / "images").iterdir():
            with path.open("r+b") as file:
                content = file.read()
                noise = random.Random(path.name).randbytes(IMAGE_BYTES - len(content) - 2)
                file.write(noise + content[-2:])
        pairs = []
        for number in range(rounds):
            pairs.append((records(voc, Path(folder, f"r{number}")), copy(voc / "images", Path(folder, f"c{number}"))))
    print(f"{images} images of {IMAGE_BYTES} bytes, {rounds} rounds in turn: minimum, median, maximum")
    for name, values in (
        ("make_records, s", [r for r, _ in pairs]),
        ("copy and sync, s", [c for _, c in pairs]),
        ("ratio", [r / c for r, c in pairs]),
    ):
        print(f"{name:<18}{min(values):>7.2f}{statistics.median(values):>7.2f}{max(values):>7.2f}")


if __name__ == "__main__":
    main()
