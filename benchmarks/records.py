"""Times `make_records` on VOC images, and compares it with the engine's own script and with copying the images.

    python benchmarks/records.py [IMAGES [ROUNDS [FOLDER]]]

The sides run in turn. Each is a whole process, and ends with a `sync -f` of what it wrote, even if it has synced
itself:

    workers=1, workers=2   make_records with --workers=1 and --workers=2
    engine                 python -m object_detection.dataset_tools.create_pascal_tf_record
    cp                     cp -r of the folder of images

The images have about 75 kB each. They are made from 300 drawings, with different noise before the last marker, so that
no two are the same. All files are read before each turn, so that they are in the page cache for every side. Python may
keep compiled modules, as by default. Then each side except cp runs once more for its memory: every 20 ms the memory of
all its processes is added up. Shared memory counts once (PSS).
"""

from __future__ import annotations

import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from record_builders import label_map
from record_builders.sources import shapes

DRAWN = 300
SMALLEST, LARGEST = 60_000, 90_000
WORKERS = ("workers=1", "workers=2")
SIDES = (*WORKERS, "engine", "cp")


def write_devkit(folder: Path, images: int) -> None:
    """Writes a VOCdevkit in the form that the engine's script needs."""
    shapes.write_voc(folder / "drawn", min(images, DRAWN))
    drawn = [path.read_bytes() for path in sorted((folder / "drawn" / "images").iterdir())]
    texts = [path.read_text() for path in sorted((folder / "drawn" / "annotations").iterdir())]
    shutil.rmtree(folder / "drawn")
    year = folder / "VOCdevkit" / "VOC2012"
    for name in ("Annotations", "JPEGImages", "ImageSets/Main"):
        (year / name).mkdir(parents=True)
    for number in range(images):
        stem, content, text = f"2012_{number:06d}", drawn[number % DRAWN], texts[number % DRAWN]
        rng = random.Random(number)
        noise = rng.randbytes(rng.randint(SMALLEST, LARGEST) - len(content))
        (year / "JPEGImages" / f"{stem}.jpg").write_bytes(content[:-2] + noise + content[-2:])
        text = text.replace(f"{number % DRAWN:04d}.jpg", f"{stem}.jpg").replace(
            "<difficult>", "<pose>Unspecified</pose><truncated>0</truncated><difficult>"
        )
        text = text.replace("<annotation>", "<annotation>\n  <folder>VOC2012</folder>")
        (year / "Annotations" / f"{stem}.xml").write_text(text)
    stems = [f"2012_{number:06d}" for number in range(images)]
    (year / "ImageSets" / "Main" / "aeroplane_train.txt").write_text("".join(f"{stem} 1\n" for stem in stems))
    classes = label_map.LabelMap.of(shapes.CLASSES)
    (folder / "label_map.pbtxt").write_text(classes.to_pbtxt())


def command(side: str, folder: Path) -> list[str]:
    """The command of one side."""
    devkit, output = folder / "VOCdevkit", folder / "output"
    if side == "cp":
        return ["cp", "-r", str(devkit / "VOC2012" / "JPEGImages"), str(output)]
    if side == "engine":
        flags = [f"--data_dir={devkit}", "--year=VOC2012", f"--output_path={output}"]
        module = "object_detection.dataset_tools.create_pascal_tf_record"
        return [sys.executable, "-m", module, *flags, f"--label_map_path={folder / 'label_map.pbtxt'}"]
    return [
        sys.executable,
        "-m",
        "tfod_tools.make_records",
        f"--annotations={devkit}",
        f"--output={output}",
        f"--{side}",
    ]


def run(side: str, folder: Path) -> float:
    """The seconds of a side, with its sync."""
    for path in (folder / "VOCdevkit").rglob("*.*"):
        path.read_bytes()
    began = time.perf_counter()
    done = subprocess.run(command(side, folder), capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    subprocess.run(["sync", "-f", str(folder / "output")], check=True)
    seconds = time.perf_counter() - began
    clean(folder)
    return seconds


def clean(folder: Path) -> None:
    """Removes what a side wrote, and waits until it is gone."""
    output = folder / "output"
    shutil.rmtree(output) if output.is_dir() else output.unlink()
    subprocess.run(["sync", "-f", str(folder)], check=True)


def peak_memory_mb(side: str, folder: Path) -> float:
    """The highest memory of all processes of a side together."""
    process = subprocess.Popen(command(side, folder), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak_kb = 0
    while process.poll() is None:
        peak_kb = max(peak_kb, sum(map(memory_kb, family(process.pid))))
        time.sleep(0.02)
    clean(folder)
    return peak_kb / 1000


def family(pid: int) -> list[int]:
    """A process and the processes that it started."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid, *(each for child in children for each in family(int(child)))]


def memory_kb(pid: int) -> int:
    """The proportional set size of a process; 0 once it has ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def show(name: str, values: list[float]) -> None:
    """Prints minimum, median and maximum."""
    print(f"{name:<22}{min(values):>8.2f}{statistics.median(values):>8.2f}{max(values):>8.2f}")


def main() -> None:
    """Prints the seconds of each side, the ratios of each round, and the memory."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    images = int(sys.argv[1]) if len(sys.argv) > 1 else 4000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    with tempfile.TemporaryDirectory(dir=sys.argv[3] if len(sys.argv) > 3 else None) as name:
        folder = Path(name)
        write_devkit(folder, images)
        subprocess.run(["sync", "-f", name], check=True)
        times = [{side: run(side, folder) for side in SIDES} for _ in range(rounds)]
        print(f"{images} images, {rounds} rounds in turn: minimum, median, maximum")
        for side in SIDES:
            show(f"{side}, s", [each[side] for each in times])
        for side in WORKERS:
            show(f"engine / {side}", [each["engine"] / each[side] for each in times])
            show(f"{side} / cp", [each[side] / each["cp"] for each in times])
        for side in ("workers=1", "workers=2", "engine"):
            print(f"{side}, peak memory: {peak_memory_mb(side, folder):.0f} MB")


if __name__ == "__main__":
    main()
