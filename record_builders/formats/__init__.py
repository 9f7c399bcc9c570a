"""One file for each annotation format; the listing of this folder is what `--format` offers.

A format file `x.py` has

  * a docstring: what the format is, its convention for coordinates, what of it is not read;
  * `read(annotations: Path, images: ImageFolder) -> Iterator[AnnotatedImage | Fault]`, which goes through the
    annotations in sorted order and yields each image once, with every box as annotated, in pixels;

and nothing else that is public. What cannot be read does not stop it: it yields a `Fault` with the file, the line and
what was found, what was expected and what to do, and goes on. Each box counts once: in an image that is yielded, or in
`Fault.boxes`. Faults of an image's boxes come before the image. It raises AnnotationError only when there is nothing to
go through. What concerns all formats alike (boxes outside the image, unknown classes, images that are annotated twice)
is the business of `record_builders.checks`.
"""
