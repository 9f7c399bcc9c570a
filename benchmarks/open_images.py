"""Times make_records while it reads, filters and groups the boxes of Open Images. The images are not needed.

    python benchmarks/open_images.py [ROWS]

Generates a table with the real columns, sorted and shuffled, and a hierarchy of 600 classes. By default the table is as
large as the one of the training set: 14.6 million boxes on 1.74 million images. Then lists the missing images, once for
one class in the middle of the hierarchy and once for all classes. Each listing is a process.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

ROWS = 14_600_000
ROWS_FOR_EACH_IMAGE = 14.6 / 1.74
CLASSES = 600
SKEW = 2.5  # so the 10 most frequent classes have a fifth of the boxes
MIDDLE_CLASS = "Class 20"


def write_classes(folder: Path) -> list[str]:
    """Writes descriptions and a three-level hierarchy, where every tenth class has two parents; returns the MIDs."""
    mids = [f"/m/0{number:04x}" for number in range(CLASSES)]
    lines = [f"{mid},Class {number}\n" for number, mid in enumerate(mids)]
    (folder / "class-descriptions-boxable.csv").write_text("".join(lines))
    rng = random.Random(0)
    children: dict[int, list[int]] = {number: [] for number in range(CLASSES)}
    for number in range(100, CLASSES):
        for _ in range(2 if number % 10 == 0 else 1):
            children[rng.randrange(10, 100)].append(number)
    for number in range(10, 100):
        children[rng.randrange(10)].append(number)

    def node(number: int) -> dict[str, object]:
        below = [node(child) for child in sorted(set(children[number]))]
        return {"LabelName": mids[number], **({"Subcategory": below} if below else {})}

    root = {"LabelName": "/m/0bl9f", "Subcategory": [node(number) for number in range(10)]}
    (folder / "bbox_labels_600_hierarchy.json").write_text(json.dumps(root))
    return mids


def write_tables(folder: Path, rows: int) -> None:
    """Writes `ordered/` and `shuffled/` below `folder`, each with the table of boxes, descriptions and hierarchy."""
    rng = np.random.default_rng(0)
    images = round(rows / ROWS_FOR_EACH_IMAGE)
    ids = np.array([f"{number:016x}" for number in np.sort(rng.integers(0, 2**63, images))])
    for name in ("ordered", "shuffled"):
        (folder / name).mkdir()
        mids = np.array(write_classes(folder / name))
    corners = {"X": np.sort(rng.random((rows, 2)), axis=1), "Y": np.sort(rng.random((rows, 2)), axis=1)}
    frame = pl.DataFrame(
        {
            "ImageID": ids[np.sort(rng.integers(0, images, rows))],
            "Source": ["xclick"] * rows,
            "LabelName": mids[(CLASSES * rng.random(rows) ** SKEW).astype(int)],
            "Confidence": np.ones(rows, np.int8),
            **{f"{axis}{end}": corners[axis][:, i] for axis in "XY" for i, end in enumerate(("Min", "Max"))},
            **{f"Is{flag}": rng.integers(0, 2, rows, np.int8) for flag in ("Occluded", "Truncated")},
            **{f"Is{flag}": np.zeros(rows, np.int8) for flag in ("GroupOf", "Depiction", "Inside")},
        }
    )
    table = "oidv6-train-annotations-bbox.csv"
    frame.write_csv(folder / "ordered" / table, float_precision=6)
    frame.sample(fraction=1, shuffle=True, seed=0).write_csv(folder / "shuffled" / table, float_precision=6)


def measured(annotations: Path, *flags: str) -> tuple[float, float, float, str]:
    """Wall and processor time in seconds, peak memory in MB, and the output of the process."""
    images = annotations.parent / "images"
    images.mkdir(exist_ok=True)
    argv = [f"--annotations={annotations}", f"--images={images}", "--output=unused", "--missing_images=unused"]
    command = [sys.executable, "-m", "tfod_tools.make_records", *argv, "--dry_run", *flags]
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        said = process.stdout.read() if process.stdout else ""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = status
    assert status == 0
    return time.perf_counter() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1000, said.strip()


def main() -> None:
    """Prints a line for each order and selection."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # In another process, so that its memory does not count in the measurements.
        generate = "import sys; sys.path.insert(0, sys.argv[1]); import open_images, pathlib; "
        generate += "open_images.write_tables(pathlib.Path(sys.argv[2]), int(sys.argv[3]))"
        subprocess.run([sys.executable, "-c", generate, str(Path(__file__).parent), name, str(rows)], check=True)
        size = sum(path.stat().st_size for path in (folder / "ordered").iterdir()) / 1e6
        print(f"{rows} rows of boxes, {size:.0f} MB; load of the machine before: {os.getloadavg()[0]:.1f}")
        for order in ("ordered", "shuffled"):
            for what, flags in (("one class", (f"--classes={MIDDLE_CLASS}",)), ("all classes", ())):
                wall, cpu, memory, said = measured(folder / order, *flags)
                print(
                    f"{order:<9} {what:<12}{wall:>7.1f} s wall{cpu:>7.1f} s cpu{memory:>7.0f} MB   {said}", flush=True
                )


if __name__ == "__main__":
    main()
