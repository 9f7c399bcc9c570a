"""Find objects in images with an exported model: all detections as JSON, and pictures with labelled boxes.

    tfod predict model/export photos --output=found

OUTPUT/detections.json holds, for each image, all detections of the model by falling score, in pixels of the upright
image (turned by its EXIF orientation). OUTPUT/NAME.jpg shows those of at least --min_score. The names of the classes
come from the label_map.pbtxt in the model's folder. Results of an earlier run in OUTPUT are replaced, other files only
with --overwrite, and images never.

--json prints `images` and `objects` (how many images were read, and how many objects of at least --min_score were
found), `detections` (the path of that file), `output` (the folder), and `skipped` (a line for each unreadable image).

Exit codes: 0 fine, 1 usage, 2 bad input, 3 some images could not be read, 4 TensorFlow stopped with an error, 130
stopped by you.
"""

from __future__ import annotations

from collections.abc import Sequence

from absl import flags

from tfod_tools import app
from tfod_tools.artefacts import detection
from tfod_tools.base import files, output

FLAGS = app.Flags("model", "images", writes=True)
_MODEL = flags.DEFINE_string(
    "model", None, "Folder that export made, or a frozen graph (.pb).", required=True, flag_values=FLAGS
)
_IMAGES = flags.DEFINE_list(
    "images", None, "A folder of images, or files, comma-separated.", required=True, flag_values=FLAGS
)
_OUTPUT = flags.DEFINE_string("output", None, "Folder to write.", required=True, flag_values=FLAGS)
_LABEL_MAP = flags.DEFINE_string(
    "label_map", None, "Label map (default: label_map.pbtxt in the model's folder).", flag_values=FLAGS
)
_MIN_SCORE = flags.DEFINE_float(
    "min_score", 0.5, "Lowest score of a box in the pictures.", lower_bound=0.0, upper_bound=1.0, flag_values=FLAGS
)
_DRY_RUN = flags.DEFINE_bool("dry_run", False, "Show what would be read and written.", flag_values=FLAGS)


def main(arguments: Sequence[str]) -> int:
    """Detects, draws, writes, and says how many objects were found."""
    app.no_arguments(arguments)
    planned = detection.plan(
        files.local_path(_MODEL.value),
        [files.local_path(name) for name in _IMAGES.value],
        files.local_path(_OUTPUT.value),
        label_map=files.local_path(_LABEL_MAP.value) if _LABEL_MAP.value else None,
        overwrite=FLAGS.overwrite,
    )
    classes, images = len(planned.labels), len(planned.pictures)
    answer = {"detections": str(planned.detections), "output": str(planned.output)}
    if _DRY_RUN.value:
        output.say(f"Would look for {classes} classes in {images} images and write {planned.detections}")
        output.answer({"classes": classes, "images": images, **answer})
        return 0
    found, skipped = detection.run(planned)
    detection.write(planned, found, _MIN_SCORE.value)
    output.warn(*skipped)
    output.say(*detection.lines(planned, found, _MIN_SCORE.value))
    objects = detection.objects(found, _MIN_SCORE.value)
    output.answer({"images": len(found), "objects": objects, **answer, "skipped": skipped})
    return app.SKIPPED_ITEMS if skipped else 0


if __name__ == "__main__":
    app.run(main, FLAGS, __doc__)
