"""What was written, or would be: as lines for people, and as a document for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from record_builders.output import manifest
from record_builders.output.manifest import LABEL_MAP, MANIFEST, Manifest
from record_builders.planning.plan import Plan
from record_builders.records import shards
from record_builders.records.tfrecord import WrittenFile
from tfod_tools.base import output, tables

# train.proto and input_reader.proto: the default of max_number_of_boxes. The engine ignores further boxes and says
# nothing.
ENGINE_LIMIT = 100


def lines(plan: Plan, found: Mapping[str, int], *, done: bool) -> list[str]:
    """What was written if `done`, else what would be, and what happens to all other images and boxes.

    Args:
      plan: what is written.
      found: its `remarks`.
      done: it has been written.
    """
    splits = plan.splits
    split_rows = [(s.name, len(s.images), s.boxes().total(), s.shards) for s in splits]
    counts = [split.boxes() for split in splits]
    class_rows = [(name, i, *(boxes[name] for boxes in counts)) for name, i in plan.label_map.ids_by_name().items()]
    written = [
        *tables.lines(("split", "images", "boxes", "shards"), split_rows),
        "",
        *tables.lines(("class", "id", *(f"{split.name} boxes" for split in splits)), class_rows),
        "",
        *(f"{remark}: {count}" for remark, count in found.items()),
        *_details(plan),
        f"{'Wrote' if done else 'Would write'} to {plan.request.target}:",
        *(f"  {name}" for name in _file_names(plan)),
    ]
    if plan.superseded:
        verb = "Removed" if done else "Would remove"
        written.append(f"{verb} {len(plan.superseded)} record files of an earlier run.")
    if done and not plan.request.remote:
        words = ("--template=NAME", f"--records={plan.request.output}", "--output=pipeline.config")
        written.append(output.next_command("make_config", *words))
    return written


def document(plan: Plan, found: Mapping[str, int], written: Manifest | None) -> dict[str, Any]:
    """The same as data: the manifest and a few entries more.

    Args:
      plan: what is written.
      found: its `remarks`.
      written: the manifest. None where nothing was written: then the entry has no `shards`.
    """
    document: dict[str, Any] = dict(written or _expected(plan))
    return {
        "output": str(plan.request.target),
        "written": written is not None,
        "files": _file_names(plan),
        "removed_files": list(plan.superseded),
        "remarks": dict(found),
        **document,
    }


def _expected(plan: Plan) -> dict[str, Any]:
    """The manifest that a run would write, without what only the written files tell."""
    files = {spec.name: images for split in plan.splits for spec, images in split.files()}
    unwritten = {name: WrittenFile(records=len(images), size_bytes=0, crc32c="") for name, images in files.items()}
    expected: dict[str, Any] = dict(manifest.build(plan, unwritten))
    splits = expected["splits"].items()
    return {**expected, "splits": {name: {k: v for k, v in split.items() if k != "shards"} for name, split in splits}}


def _file_names(plan: Plan) -> list[str]:
    """Glob patterns of the record files, and the names of the other files."""
    return [*(shards.pattern(split.name, split.shards) for split in plan.splits), LABEL_MAP, MANIFEST]


def remarks(plan: Plan) -> dict[str, int]:
    """What a user should know of some images or boxes, and of how many. No entry is 0."""
    outlines = plan.outlines
    images, boxes = (sum(getattr(fault, what) for fault in plan.faults) for what in ("images", "boxes"))
    counts = {
        "Boxes clipped at the edge of their image": sum(image.clipped for image in outlines),
        "Boxes that the training loss ignores (--ignore)": sum(image.ignored for image in outlines),
        f"Images with more than {ENGINE_LIMIT} boxes (make_config sets max_number_of_boxes for them)": sum(
            len(image.labels) > ENGINE_LIMIT for image in outlines
        ),
        "Images without objects, written as background": sum(not image.labels for image in outlines),
        "Images without an annotation, left out": plan.unannotated_images,
        "Images that are copies of others, kept in one split with them": sum(len(c.images) - 1 for c in plan.copies),
        "Groups of images that --group_by keeps in one split": len(plan.groups.members) if plan.groups else 0,
        "Images that --group_by puts in no group": plan.groups.others if plan.groups else 0,
        "Annotated images dropped because of problems": images,
        "Boxes dropped because of problems": boxes,
    }
    counts |= {f"Images converted, {kind}": count for kind, count in sorted(plan.conversions().items())}
    notes = Counter(note for image in outlines for note in image.notes)
    return {remark: count for remark, count in (counts | dict(sorted(notes.items()))).items() if count}


def _details(plan: Plan) -> list[str]:
    """Copies, what was left out, and classes that are missing from a split."""
    classes = {label for image in plan.outlines for label in image.labels}
    absent = [(split.name, sorted(classes - split.boxes().keys())) for split in plan.splits]
    return [
        *(
            f"Copies whose boxes differ: {' = '.join(image.image_name for image in same.images)}"
            for same in plan.copies
            if same.boxes_differ
        ),
        *(
            f"Left out, {entry['reason']}: {entry['images']} images, {entry['boxes']} boxes"
            for entry in manifest.left_out(plan)
        ),
        *(f"Classes without a box in {name}: {', '.join(labels)}" for name, labels in absent if labels),
    ]
