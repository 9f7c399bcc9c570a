"""Time and memory of the config commands as whole processes, and of fitting anchors to 100,000 boxes.

python benchmarks/configs.py [ROUNDS] [BOXES]
"""

import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from pipeline_configs.making import template
from record_builders.records import protos, tfrecord

BOXES_ON_AN_IMAGE = 10
SIZES = ((480, 640), (640, 480), (375, 500), (720, 1280), (427, 640), (600, 600))
TEMPLATE = "ssd_mobilenet_v2_300x300"
FITTED = (
    TEMPLATE,
    "ssd_vgg16_300x300_keras",
    "faster_rcnn_resnet50",
    "ssd_resnet50_v1_fpn_shared_box_predictor_640x640",
)
# What is wanted of the median, in seconds.
WANTED = {"--help": 0.15, "--list": 0.15, "make_config": 0.25, "check_config": 0.25, "fit_anchors": 20.0}


def measured(*argv: str) -> tuple[float, float, float]:
    """Wall time and processor time in seconds, and largest memory in MB, of one process."""
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", *argv], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    taken = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 2):  # 2: check_config has found errors
        raise SystemExit(f"{' '.join(argv)} ended with {process.returncode}")
    return taken, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def write_records(folder: Path, boxes: int) -> None:
    """Records of `boxes` objects of all sizes, on images of six sizes, with their manifest."""
    random = np.random.default_rng(0)
    images = boxes // BOXES_ON_AN_IMAGE
    encoded = {size: _encoded(size) for size in SIZES}
    serialized = (_example(random, SIZES[number % len(SIZES)], encoded, number) for number in range(images))
    tfrecord.write(folder / "train.record", serialized)
    tfrecord.write(folder / "val.record", [_example(random, SIZES[0], encoded, images)])
    (folder / "label_map.pbtxt").write_text('item { id: 1 name: "cat" } item { id: 2 name: "dog" }')
    splits = {"train": {"pattern": "train.record", "images": images}, "val": {"pattern": "val.record", "images": 1}}
    classes = [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]
    manifest = {"format_version": 1, "label_map": {"path": "label_map.pbtxt", "classes": classes}, "splits": splits}
    (folder / "manifest.json").write_text(json.dumps(manifest))


def _encoded(size: tuple[int, int]) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size[::-1]).save(file, format="JPEG")
    return file.getvalue()


def _example(random: np.random.Generator, size: tuple[int, int], encoded: dict, number: int) -> bytes:
    count = BOXES_ON_AN_IMAGE
    sides = np.exp(random.uniform(np.log(0.02), np.log(0.9), (count, 1)) + random.normal(0, 0.3, (count, 2)))
    sides = np.minimum(sides, 0.98)
    corners = random.random((count, 2)) * (1 - sides)
    features = protos.Example()
    for name, values in (("ymin", corners[:, 0]), ("xmin", corners[:, 1])):
        features.features.feature[f"image/object/bbox/{name}"].float_list.value.extend(values)
    for name, values in (("ymax", (corners + sides)[:, 0]), ("xmax", (corners + sides)[:, 1])):
        features.features.feature[f"image/object/bbox/{name}"].float_list.value.extend(values)
    names = [(b"cat", b"dog")[index] for index in random.integers(0, 2, count)]
    features.features.feature["image/object/class/text"].bytes_list.value.extend(names)
    features.features.feature["image/encoded"].bytes_list.value.append(encoded[size])
    features.features.feature["image/source_id"].bytes_list.value.append(str(number).encode())
    for name, value in (("height", size[0]), ("width", size[1])):
        features.features.feature[f"image/{name}"].int64_list.value.append(value)
    return features.SerializeToString()


def configs() -> dict[str, str]:
    """The configs to whose anchors boxes are fitted: 1,917, 8,732, 12,000 to 50,000 and 51,150 anchors."""
    return {name: template.text(name) for name in FITTED}


def report(name: str, wanted: float, taken: list[tuple[float, float, float]]) -> None:
    """Prints minimum, median and maximum of the times, the median of processor time, and the largest memory."""
    times, processor, memory = zip(*taken, strict=True)
    low, middle, high, busy = min(times), statistics.median(times), max(times), statistics.median(processor)
    # A quick process never has more than this one had when it started it.
    shown = f"{max(memory):>9.0f}" if wanted > 1 else ""
    print(f"{name:<55}{low:>9.3f}{middle:>9.3f}{high:>9.3f}{wanted:>9.2f}{busy:>10.3f}{shown}", flush=True)


def main() -> None:
    """Prints a line for each command."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 11
    boxes = int(sys.argv[2]) if len(sys.argv) > 2 else 100_000
    # Python may keep the modules that it compiles, as it does by default.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPATH"] = str(Path(__file__).parents[1])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_records(folder, boxes)
        config = folder / "pipeline.config"
        config.write_text(template.text(TEMPLATE))
        made = ("--template", TEMPLATE, "--records", name, "--output", str(folder / "made.config"))
        quick = {
            "make_config --help": ("make_config", "--help"),
            "make_config --list": ("make_config", "--list"),
            "check_config --help": ("check_config", "--help"),
            "fit_anchors --help": ("fit_anchors", "--help"),
            "make_config --template=...": ("make_config", *made),
            "check_config --config=...": ("check_config", "--config", str(config)),
        }
        titles = f"{'minimum':>9}{'median':>9}{'maximum':>9}{'wanted':>9}{'processor':>10}{'MB':>9}"
        print(f"{'seconds':<55}{titles}")
        taken: dict[str, list[tuple[float, float, float]]] = {title: [] for title in quick}
        for _ in range(rounds):
            for title, (command, *words) in quick.items():
                taken[title].append(measured(f"tfod_tools.{command}", *words))
        for title, times in taken.items():
            report(title, WANTED.get(title.split()[1], WANTED[title.split()[0]]), times)
        for fitted, text in configs().items():
            config.write_text(text)
            argv = ("tfod_tools.fit_anchors", "--config", str(config), "--records", name)
            report(f"fit_anchors, {boxes} boxes, {fitted}", WANTED["fit_anchors"], [measured(*argv) for _ in range(3)])


if __name__ == "__main__":
    main()
