"""Runs an exported model on images: the images, the detections, and pictures with boxes."""

from __future__ import annotations

import itertools
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from record_builders.images.pictures import LabelledBox, draw
from tfod_tools.artefacts import folder
from tfod_tools.base import engine_process, files, progress
from tfod_tools.base.errors import CheckpointError, ImageError, OutputError, Problems, TfodError, UsageError

LOG = "predict.log"
DETECTIONS = "detections.json"
IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff")

_FORMAT_VERSION = 1

# One image as detections.json has it: image (its path), picture (the name of its picture), width, height, detections:
# each with label, label_id, score, and xmin, ymin, xmax, ymax in pixels.
Detections = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """What is to be detected.

    Attributes:
      model: a folder that export made, or a frozen graph.
      labels: the names of the classes by their ids.
      pictures: for each image, the picture to write.
      output: the folder of the results.
    """

    model: Path
    labels: Mapping[int, str]
    pictures: Mapping[Path, Path]
    output: Path

    @property
    def detections(self) -> Path:
        """The file with all detections."""
        return self.output / DETECTIONS


def plan(
    model: Path, images: Sequence[Path], output: Path, *, label_map: Path | None = None, overwrite: bool = False
) -> Detection:
    """Checks what can be checked without TensorFlow.

    Args:
      model: a folder that export made, or a frozen graph.
      images: images, and folders of images.
      output: the folder of the results.
      label_map: the label map; None for the one in the model's folder.
      overwrite: whether files may be replaced that an earlier run did not write. Images never are.

    Raises:
      CheckpointError: there is no such model.
      ImageError: an image or folder does not exist, or a folder holds no image.
      UsageError: a picture would replace one of the images.
      Problems: files are in the way.
      LabelMapError: the label map cannot be read.
    """
    if not folder.holds_model(model):
        raise CheckpointError("there is no such model. Pass a folder that export made, or a .pb file.", path=model)
    paths = image_paths(images)
    pictures = {path: output / name for path, name in zip(paths, picture_names(paths), strict=True)}
    _check_free(pictures, output, overwrite=overwrite)
    beside = (model if model.is_dir() else model.parent) / folder.LABEL_MAP
    return Detection(model=model, labels=_labels(label_map or beside), pictures=pictures, output=output)


def image_paths(named: Sequence[Path]) -> list[Path]:
    """The files in `named`, and the images in the folders in `named`, sorted by name.

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
    return list(dict.fromkeys(paths))


def picture_names(paths: Sequence[Path]) -> list[str]:
    """For each image the name of its picture: `STEM.jpg`, or `STEM-2.jpg` and so on if images share a stem."""
    taken: dict[str, None] = {}  # in the order of the images
    for path in paths:
        candidates = itertools.chain([path.stem], (f"{path.stem}-{number}" for number in itertools.count(2)))
        taken[next(stem for stem in candidates if stem not in taken)] = None
    return [f"{stem}.jpg" for stem in taken]


def _check_free(pictures: Mapping[Path, Path], output: Path, *, overwrite: bool) -> None:
    sources = {path.resolve() for path in pictures}
    for picture in pictures.values():
        if picture.resolve() in sources:
            raise UsageError(
                f"--output: {picture} is one of the images and would be overwritten. Choose another folder."
            )
    earlier = _earlier_results(output)
    problems: list[TfodError] = []
    for path in (output / DETECTIONS, *pictures.values()):
        try:
            if path.name not in earlier:
                files.check_free(path, None, flag="--output", overwrite=overwrite)
        except OutputError as error:
            problems.append(error)
    if problems:
        raise Problems(problems)


def _earlier_results(output: Path) -> set[str]:
    """The names of the files that an earlier run wrote into `output`; none if there was no earlier run."""
    try:
        content = json.loads((output / DETECTIONS).read_bytes())
        return {DETECTIONS, *(image["picture"] for image in content["images"])}
    except (OSError, ValueError, LookupError, TypeError):
        return set()


def run(detection: Detection) -> tuple[list[Detections], list[str]]:
    """Runs the model in a child process.

    Returns:
      The detections of each readable image, by falling score; and a line for each image that cannot be read.

    Raises:
      CheckpointError: the model cannot be loaded.
    """
    found: list[Detections] = []
    skipped: list[str] = []
    paths = [str(path) for path in detection.pictures]
    with tempfile.TemporaryDirectory() as temporary, progress.bar("images", len(paths)) as advance:
        listing = Path(temporary, "images.json")
        listing.write_text(json.dumps(paths))

        def on_event(event: engine_process.Event) -> None:
            if event["event"] == "image":
                found.append(_detections(event, detection))
            elif event["event"] == "skipped":
                skipped.append(event["message"])
            advance(1)

        argv = ["tfod_tools.engine.predict", f"--model={detection.model}", f"--images={listing}"]
        engine_process.run(argv, log=detection.output / LOG, on_event=on_event)
    return found, skipped


def write(detection: Detection, found: Sequence[Detections], min_score: float) -> None:
    """Writes a picture for each image, with the boxes of at least `min_score`, and all detections as JSON."""
    for image in found:
        boxes = [
            LabelledBox(
                caption=f"{d['label']} {d['score']:.2f}",
                **{key: d[key] for key in ("label_id", "xmin", "ymin", "xmax", "ymax")},
            )
            for d in image["detections"]
            if d["score"] >= min_score
        ]
        draw(Path(image["image"]), boxes, detection.output / image["picture"])
    content = {"format_version": _FORMAT_VERSION, "images": found}
    files.write_atomically(detection.detections, (json.dumps(content, indent=1) + "\n").encode())


def lines(detection: Detection, found: Sequence[Detections], min_score: float) -> list[str]:
    """What was found, for people."""
    count, best = objects(found, min_score), max(_scores(found), default=0.0)
    said = [f"{count} objects of score {min_score:g} or more in {len(found)} images. Written: {detection.output}"]
    if found and not count:
        said.append(f"The highest score of all is {best:.2f}. Pass a lower --min_score, or train longer.")
    return said


def objects(found: Sequence[Detections], min_score: float) -> int:
    """The number of detections of at least `min_score`."""
    return sum(score >= min_score for score in _scores(found))


def _scores(found: Sequence[Detections]) -> list[float]:
    return [d["score"] for image in found for d in image["detections"]]


def _detections(event: engine_process.Event, detection: Detection) -> Detections:
    width, height = event["width"], event["height"]
    detections = [
        {
            "label": detection.labels.get(label_id, str(label_id)),
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
    detections.sort(key=lambda d: -d["score"])
    picture = detection.pictures[Path(event["path"])].name
    return {"image": event["path"], "picture": picture, "width": width, "height": height, "detections": detections}


def _labels(path: Path) -> dict[int, str]:
    from record_builders import label_map

    found, _ = label_map.read(path)
    return dict(zip(found.ids, found.names, strict=True))
