"""Find objects in images with an exported model: JSON with every detection, and pictures with labelled boxes.

    python -m tfod_tools.predict --model=model/export --images=photos --output=found

OUTPUT/detections.json holds, for each image, all detections of the model by falling score, in pixels of the upright
image (as its EXIF orientation says); OUTPUT/NAME.jpg shows those of at least --min_score. Names come from the
label_map.pbtxt beside the model.

Exit codes: 0 fine, 1 usage, 2 bad input, 3 some images could not be read, 4 TensorFlow stopped with an error, 130
stopped by you.
"""

from __future__ import annotations

import itertools
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from absl import flags

from record_builders.images.pictures import LabelledBox, draw
from tfod_tools import app
from tfod_tools.base import engine_process, files, progress
from tfod_tools.base.errors import CheckpointError, ImageError, UsageError

FLAGS = app.Flags("model", "images", writes=True)
_MODEL = flags.DEFINE_string(
    "model", None, "Folder that export made, or a frozen graph (.pb).", required=True, flag_values=FLAGS
)
_IMAGES = flags.DEFINE_list(
    "images", None, "A folder of images, or files, comma-separated.", required=True, flag_values=FLAGS
)
_OUTPUT = flags.DEFINE_string("output", None, "Folder to write.", required=True, flag_values=FLAGS)
_LABEL_MAP = flags.DEFINE_string(
    "label_map", None, "Label map (default: label_map.pbtxt beside the model).", flag_values=FLAGS
)
_MIN_SCORE = flags.DEFINE_float(
    "min_score", 0.5, "Least score of a box in the pictures.", lower_bound=0.0, upper_bound=1.0, flag_values=FLAGS
)
_DRY_RUN = flags.DEFINE_bool("dry_run", False, "Show what would be read and written.", flag_values=FLAGS)

LOG = "predict.log"
DETECTIONS = "detections.json"
FROZEN_GRAPH = "frozen_inference_graph.pb"
IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff")

Detections = dict[str, Any]


def main(arguments: Sequence[str]) -> int:
    """Detects, draws, writes, and says how many objects were found."""
    app.no_arguments(arguments)
    model, output = files.local_path(_MODEL.value), files.local_path(_OUTPUT.value)
    if not any(path.is_file() for path in (model, model / FROZEN_GRAPH, model / "saved_model" / "saved_model.pb")):
        raise CheckpointError("there is no such model. Pass a folder that export made, or a .pb file.", path=model)
    paths = image_paths([files.local_path(name) for name in _IMAGES.value])
    names = picture_names(paths)
    _refuse_to_overwrite(paths, [output / name for name in names.values()])
    beside = (model if model.is_dir() else model.parent) / "label_map.pbtxt"
    labels = _labels(files.local_path(_LABEL_MAP.value) if _LABEL_MAP.value else beside)
    if _DRY_RUN.value:
        print(f"Would look for {len(labels)} classes in {len(paths)} images and write {output / DETECTIONS}")
        return 0
    found, skipped = predict(model, paths, labels, output)
    _draw(found, names, output, _MIN_SCORE.value)
    files.write_atomically(
        output / DETECTIONS, (json.dumps({"format_version": 1, "images": found}, indent=1) + "\n").encode()
    )
    _report(found, skipped, output, _MIN_SCORE.value)
    return app.SKIPPED_ITEMS if skipped else 0


def image_paths(named: Sequence[Path]) -> list[Path]:
    """The files that are named, and the images in the folders that are named, sorted by name.

    Raises:
      ImageError: one does not exist, or a folder holds no image.
    """
    paths: list[Path] = []
    for path in named:
        if not path.exists():
            raise ImageError("there is no such file or folder.", path=path)
        inside = sorted(p for p in path.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES) if path.is_dir() else [path]
        if not inside:
            raise ImageError(f"holds no image ({', '.join(IMAGE_SUFFIXES)}).", path=path)
        paths += inside
    return paths


def predict(
    model: Path, paths: Sequence[Path], labels: Mapping[int, str], output: Path
) -> tuple[list[Detections], list[str]]:
    """Runs the model in a child process.

    Returns:
      For each readable image its path, size and detections by falling score; and a line for each that cannot be read.

    Raises:
      CheckpointError: the model cannot be loaded.
    """
    found: list[Detections] = []
    skipped: list[str] = []
    with tempfile.TemporaryDirectory() as folder, progress.bar("images", len(paths)) as advance:
        listing = Path(folder, "images.json")
        listing.write_text(json.dumps([str(path) for path in paths]))

        def on_event(event: engine_process.Event) -> None:
            if event["event"] == "image":
                found.append(_detections(event, labels))
            elif event["event"] == "skipped":
                skipped.append(event["message"])
            advance(1)

        argv = ["tfod_tools.engine.predict", f"--model={model}", f"--images={listing}"]
        engine_process.run(argv, log=output / LOG, on_event=on_event)
    return found, skipped


def _detections(event: engine_process.Event, labels: Mapping[int, str]) -> Detections:
    width, height = event["width"], event["height"]
    detections = [
        {
            "label": labels.get(label_id, str(label_id)),
            "label_id": label_id,
            "score": round(score, 4),
            "xmin": round(xmin * width, 1),
            "ymin": round(ymin * height, 1),
            "xmax": round(xmax * width, 1),
            "ymax": round(ymax * height, 1),
        }
        for (ymin, xmin, ymax, xmax), score, label_id in zip(
            event["boxes"], event["scores"], event["classes"], strict=True
        )
    ]
    detections.sort(key=lambda detection: -detection["score"])
    return {"image": event["path"], "width": width, "height": height, "detections": detections}


def _labels(path: Path) -> dict[int, str]:
    from record_builders import label_map

    found, _ = label_map.read(path)
    return dict(zip(found.ids, found.names, strict=True))


def picture_names(paths: Sequence[Path]) -> dict[str, str]:
    """For each image the name of its picture: `STEM.jpg`, or `STEM-2.jpg` and so on where images share a stem."""
    taken: set[str] = set()
    names = {}
    for path in paths:
        candidates = itertools.chain([path.stem], (f"{path.stem}-{number}" for number in itertools.count(2)))
        stem = next(stem for stem in candidates if stem not in taken)
        taken.add(stem)
        names[str(path)] = f"{stem}.jpg"
    return names


def _refuse_to_overwrite(images: Sequence[Path], pictures: Sequence[Path]) -> None:
    sources = {path.resolve() for path in images}
    for picture in pictures:
        if picture.resolve() in sources:
            raise UsageError(
                f"--output: {picture} is one of the images and would be overwritten. Choose another folder."
            )


def _draw(found: Sequence[Detections], names: Mapping[str, str], output: Path, min_score: float) -> None:
    for image in found:
        boxes = [
            LabelledBox(
                caption=f"{d['label']} {d['score']:.2f}",
                **{key: d[key] for key in ("label_id", "xmin", "ymin", "xmax", "ymax")},
            )
            for d in image["detections"]
            if d["score"] >= min_score
        ]
        draw(Path(image["image"]), boxes, output / names[image["image"]])


def _report(found: Sequence[Detections], skipped: Sequence[str], output: Path, min_score: float) -> None:
    for line in skipped:
        print(line, file=sys.stderr)
    scores = [d["score"] for image in found for d in image["detections"]]
    count = sum(score >= min_score for score in scores)
    print(f"{count} objects of score {min_score:g} or more in {len(found)} images. Written: {output}")
    if found and not count:
        best = max(scores, default=0.0)
        print(f"The highest score of all is {best:.2f}: pass a lower --min_score, or train longer.")


if __name__ == "__main__":
    app.run(main, FLAGS, __doc__)
