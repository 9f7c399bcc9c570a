"""One file for each annotation format; the listing of this folder is what `--format` offers.

A format file `x.py` has

  * a docstring: what the format is, its convention for coordinates, what its image sets are, what of it is not read;
  * `read(annotations: Path, images: ImageFolder, wanted: Wanted) -> Iterator[Found]`, which goes through the
    annotations in a fixed order and yields each image once, with every box as annotated, in pixels;
  * `recognises(path: Path) -> bool`, which tells from the beginning of a file whether it is of this format;
  * where each annotation file has images of its own, `files(annotations, wanted)`, which lists them (each perhaps with
    what else it takes to read it, and faults for those that are not there), and
    `read_files(some, annotations, images, wanted)`, which reads some of them: `read` is one after the other, and
    several processes share the second;
  * `SELECTS_CLASSES = True` where `read` itself keeps to `wanted.classes`, because a class has more than one name;

and nothing else that is public. `annotations` is a folder or, if the format has several images in a file, that file.
What cannot be read does not stop it: it yields a `Fault` with the file, the line and what was found, what was expected
and what to do, and goes on; what it passes over on purpose is a `LeftOut`. Each box counts once: in an image that is
yielded, in `Fault.boxes` or in `LeftOut.boxes`. Faults of an image's boxes come before the image. It raises
AnnotationError only when there is nothing to go through. `record_builders.sources.matching` finds the image that is
meant. What concerns all formats alike (boxes outside the image, unknown classes, images that are annotated twice,
choices of the user) is the business of `record_builders.planning.checks`.
"""
