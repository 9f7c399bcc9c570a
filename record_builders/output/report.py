"""A plan in words and tables, for the terminal."""

from __future__ import annotations

import shlex
from collections import Counter

from record_builders.output import manifest
from record_builders.output.manifest import LABEL_MAP, MANIFEST
from record_builders.planning.plan import Plan
from record_builders.records import shards
from tfod_tools.base import tables

# train.proto and input_reader.proto, max_number_of_boxes: what an image has beyond it is cut off without a word.
ENGINE_LIMIT = 100


def summary(plan: Plan, *, done: bool) -> str:
    """What was written if `done`, else what would be, and what becomes of the rest."""
    splits = plan.splits
    split_rows = [(s.name, len(s.images), s.boxes().total(), s.shards) for s in splits]
    counts = [split.boxes() for split in splits]
    class_rows = [(name, i, *(boxes[name] for boxes in counts)) for name, i in plan.label_map.ids_by_name().items()]
    lines = [
        *tables.lines(("split", "images", "boxes", "shards"), split_rows),
        "",
        *tables.lines(("class", "id", *(f"{split.name} boxes" for split in splits)), class_rows),
        "",
        *_remarks(plan),
        f"{'Wrote' if done else 'Would write'} to {plan.request.target}:",
        *(f"  {shards.pattern(split.name, split.shards)}" for split in splits),
        *(f"  {name}" for name in (LABEL_MAP, MANIFEST)),
    ]
    if plan.superseded:
        verb = "Removed" if done else "Would remove"
        lines.append(f"{verb} {len(plan.superseded)} record files of an earlier run.")
    if done and not plan.request.remote:
        records = shlex.quote(str(plan.request.output))
        lines.append(
            f"Next: python -m tfod_tools.make_config --records={records} --template=NAME --output=pipeline.config"
        )
    return "\n".join(lines)


def _remarks(plan: Plan) -> list[str]:
    """One line for everything that is not simply written."""
    outlines = plan.outlines
    images, boxes = (sum(getattr(fault, what) for fault in plan.faults) for what in ("images", "boxes"))
    remarks = {
        "Boxes clipped at the edge of their image": sum(image.clipped for image in outlines),
        "Boxes that the training loss passes over (--ignore)": sum(image.ignored for image in outlines),
        f"Images with more than {ENGINE_LIMIT} boxes, which need a max_number_of_boxes as make_config sets it": sum(
            len(image.labels) > ENGINE_LIMIT for image in outlines
        ),
        "Images without objects, written as background": sum(not image.labels for image in outlines),
        "Images without an annotation, left out": plan.unannotated_images,
        "Images that are copies of others, kept in one split with them": sum(len(c.images) - 1 for c in plan.copies),
        "Groups of images that --group_by keeps in one split": len(plan.groups.members) if plan.groups else 0,
        "Images that --group_by says nothing of, each by itself": plan.groups.others if plan.groups else 0,
        "Annotated images dropped": images,
        "Boxes dropped": boxes,
    }
    classes = {label for image in outlines for label in image.labels}
    absent = [(split.name, sorted(classes - split.boxes().keys())) for split in plan.splits]
    notes = Counter(note for image in outlines for note in image.notes)
    lines = [f"{remark}: {count}" for remark, count in remarks.items() if count]
    lines += [f"Images converted, {kind}: {count}" for kind, count in sorted(plan.conversions().items())]
    lines += [
        f"Copies whose boxes differ: {' = '.join(image.image_name for image in same.images)}"
        for same in plan.copies
        if same.boxes_differ
    ]
    lines += [
        f"Left out, {entry['reason']}: {entry['images']} images, {entry['boxes']} boxes"
        for entry in manifest.left_out(plan)
    ]
    lines += [f"{note}: {count}" for note, count in sorted(notes.items())]
    return lines + [f"Classes without a box in {name}: {', '.join(labels)}" for name, labels in absent if labels]
