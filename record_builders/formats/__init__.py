"""One file (or folder) for each annotation format. `--format` offers what this folder lists.

A format file `x.py` has

  * a docstring: what the format is, which coordinates it uses, what its image sets are, and what is not read;
  * `read(annotations: Path, images: ImageFolder, wanted: Wanted) -> Iterator[Found]`: goes through the annotations in a
    fixed order, and yields each image once, with every box as annotated, in pixels;
  * `recognises(path: Path) -> bool`: whether a file has this format; reads only the beginning of the file.

It may also have

  * `why_not(path: Path) -> str`, for a file that `recognises` refuses: what the file has and what it lacks, in short
    sentences ("it has the columns a, b. It has no column for the class."); '' if the file is nothing like this format.
    Reads only the beginning of the file, and never raises;
  * `files(annotations, wanted)` and `read_files(some, annotations, images, wanted)`, if each annotation file has images
    of its own. `files` returns two lists: the files, each perhaps with what is needed to read it; and faults for
    missing files. `read_files` reads some of these files. `read` calls one after the other; several processes share
    `read_files`;
  * `SELECTS_CLASSES = True`, if `read` itself reads only `wanted.classes`, because a class has more than one name.

It has nothing else that is public. `annotations` is a folder. If a file of the format has several images, it may also
be that file.

`read` does not stop at what it cannot read: it yields a `Fault` and goes on. The fault says in which file and line,
what is wrong, and what to do. What `read` ignores on purpose is a `LeftOut`. Each box counts once: in an image, in
`Fault.boxes` or in `LeftOut.boxes`. The faults of an image's boxes come before the image. `read` raises AnnotationError
only if there is nothing to read.

`record_builders.sources.matching` finds the image of an annotation. `record_builders.planning.checks` does what all
formats need: boxes outside the image, unknown classes, images that are annotated twice, and what the user chose.
"""
