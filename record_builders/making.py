"""All that make_records does: reads annotations, plans the records, writes them, and reports what it did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

from record_builders.output import report, writing
from record_builders.planning import build
from record_builders.planning.plan import Request
from record_builders.sources import inputs
from record_builders.sources.inputs import Inputs
from tfod_tools.base import buckets, files, output, progress
from tfod_tools.base.errors import Problems


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where everything is. Each is a path of this machine or a URL.

    Attributes:
      annotations: the folder of annotations, or their file.
      output: the folder for the records.
      images: the folder of images; None for the folder of the annotations.
      label_map: a given label map, if any.
    """

    annotations: str
    output: str
    images: str | None = None
    label_map: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What to do with the annotations, besides what a `Request` says.

    Attributes:
      on_problem: 'fail' stops before anything is written; 'skip' and 'fix' leave out what cannot be used.
      dry_run: nothing is written.
      workers: number of processes; None to choose by the number of images.
      beam_options: options of the Beam pipeline that writes; None to write with processes of this machine.
      missing_images: write only the names of missing images, into this file.
      download: fetch missing images of Open Images first.
      download_from: the URL to fetch them from; None for the public bucket.
      download_rate: the most requests in a second.
    """

    on_problem: Literal["fail", "skip", "fix"] = "fail"
    dry_run: bool = False
    workers: int | None = None
    beam_options: str | None = None
    missing_images: Path | None = None
    download: bool = False
    download_from: str | None = None
    download_rate: float = 50.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What was done.

    Attributes:
      lines: for people.
      document: the same for programs.
      skipped: images or boxes were left out because of problems.
    """

    lines: Sequence[str]
    document: dict[str, Any]
    skipped: bool = False


def make(places: Places, settings: Request, task: Task) -> Outcome:
    """Makes records, or does the part of it that `task` asks for.

    Args:
      places: where everything is.
      settings: how to make the records. Its paths do not count: `places` says where everything is.
      task: what to do.

    Raises:
      TfodError: something cannot be used or written.
    """
    keep = task.dry_run or task.missing_images is not None
    bar = partial(progress.bar, "Fetching")
    named = (places.annotations, places.images, places.label_map, places.output)
    with inputs.opened(*named, masks=settings.wanted.masks, keep=keep, bar=bar) as given:
        request = _request(settings, given, places.output)
        if task.missing_images:
            return _list_missing_images(request, task.missing_images, dry_run=task.dry_run)
        downloaded = _download(request, task) if task.download else Outcome(lines=[], document={})
        if task.download and task.dry_run:
            return downloaded
        output.say(*downloaded.lines)
        given.fetch_images(request)
        made = _plan_and_write(request, given, task)
        return replace(made, document={**downloaded.document, **made.document})


def _request(settings: Request, given: Inputs, folder: str) -> Request:
    remote = buckets.folder(folder) if files.is_remote(folder) else None
    return replace(
        settings,
        annotations=given.annotations,
        images=given.images,
        image_names=given.image_names,
        label_map=given.label_map,
        output=remote.antechamber if remote else Path(folder),
        remote=remote,
    )


def _plan_and_write(request: Request, given: Inputs, task: Task) -> Outcome:
    plan = build.plan(request, task.workers, partial(progress.bar, "Decoding"))
    problems = [fault.error for fault in plan.faults]
    if problems and task.on_problem == "fail":
        advice = "Nothing was written. Correct them, or leave out what cannot be used with --on_problem=skip."
        raise Problems(problems, advice=f"Problems: {len(problems)}. {advice}")
    if problems:
        output.warn(given.named(str(Problems(problems))))
    written = None
    if not task.dry_run:
        with progress.bar("Writing", len(plan.images)) as advance:
            written = writing.write(plan, advance, task.workers, task.beam_options)
    found = report.remarks(plan)
    return Outcome(
        lines=report.lines(plan, found, done=not task.dry_run),
        document=report.document(plan, found, written),
        skipped=bool(problems),
    )


def _list_missing_images(request: Request, path: Path, *, dry_run: bool) -> Outcome:
    names = build.missing_images(request)
    if not dry_run:
        content = "".join(f"{name}\n" for name in names).encode("utf-8", "surrogateescape")
        files.save(path, content, flag="--missing_images", overwrite=request.overwrite)
    where = "" if dry_run else f" Their names are in {path}."
    line = f"Annotated images that are missing: {len(names)}.{where}"
    return Outcome(lines=[line], document={"missing_images": names, "file": None if dry_run else str(path)})


def _download(request: Request, task: Task) -> Outcome:
    from record_builders.formats.open_images import download

    names = build.images_to_download(request)
    if task.dry_run:
        line = f"Would download {len(names)} images to {request.images}."
        return Outcome(lines=[line], document={"images_to_download": names, "folder": str(request.images)})
    source = download.Source(url=task.download_from or download.PUBLIC_BUCKET, per_second=task.download_rate)
    with progress.bar("Downloading", len(names)) as advance:
        errors = download.fetch(names, request.images, source, advance)
    line = f"Downloaded {len(names) - len(errors)} of {len(names)} images to {request.images}."
    if errors and task.on_problem == "fail":
        output.say(line)
        raise Problems(errors, advice="No records were written. Run the command again: it keeps the images it has.")
    if errors:
        output.warn(Problems(errors))
    return Outcome(lines=[line], document={"downloaded_images": len(names) - len(errors)})
