"""The rows of tables of any size, grouped by image. The memory does not grow with the tables.

A table of boxes has up to 14.6 million rows, one of labels more, in any order. A first pass counts the wanted rows by
two characters of the image id. Then each further pass reads ids with together at most `MOST_ROWS` rows, sorts them and
groups them by image. If few classes are wanted, one such pass is enough.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, TypeVar, cast

from record_builders.formats.open_images.tables import CORNERS, FLAGS, BoxRow, ImageRows, LabelRow, Table
from record_builders.sources.folders import head
from tfod_tools.base.errors import AnnotationError, MissingPackageError

if TYPE_CHECKING:
    import polars as pl

MOST_ROWS = 3_000_000
_ROWS_AT_ONCE = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The classes whose rows are wanted, by MID; None for all.

    Attributes:
      boxes: for rows of boxes.
      labels: for rows of labels.
    """

    boxes: Collection[str] | None = None
    labels: Collection[str] | None = None

    def of(self, table: Table) -> pl.Expr:
        """Whether a row of `table` is wanted."""
        polars = _polars()
        mids = self.boxes if table.has_boxes else self.labels
        wanted = polars.lit(True) if mids is None else polars.col("LabelName").is_in(sorted(mids))
        return cast("pl.Expr", wanted)


def grouped(tables: Sequence[Table], selection: Selection, most_rows: int = MOST_ROWS) -> Iterator[ImageRows]:
    """The wanted rows of each image, one image after the other.

    Args:
      tables: boxes and labels; `BoxRow.table` is an index of it.
      selection: which rows are wanted.
      most_rows: the most rows to read at a time. If a single part of the ids has more, it is read as a whole.

    Raises:
      AnnotationError: a table cannot be read.
      MissingPackageError: polars is not installed.
    """
    for part in _parts(_counts(tables, selection), most_rows):
        of_boxes = ((number, table) for number, table in enumerate(tables) if table.has_boxes)
        of_labels = ((number, table) for number, table in enumerate(tables) if not table.has_boxes)
        boxes = _rows(of_boxes, selection, part, _box_columns, BoxRow)
        labels = _rows(of_labels, selection, part, _label_columns, LabelRow)
        yield from _merged(boxes, labels)


def box_rows(tables: Sequence[Table], selection: Selection) -> tuple[int, int]:
    """The number of all rows of boxes, and the number of wanted rows."""
    polars = _polars()
    total = wanted = 0
    for table in tables:
        if table.has_boxes:
            counts = _collected(_scan(table).select(polars.len(), wanted=selection.of(table).sum()), table)
            total, wanted = total + counts["len"][0], wanted + counts["wanted"][0]
    return total, wanted


def annotated_ids(tables: Sequence[Table], among: Collection[str]) -> set[str]:
    """The image ids of `among` that have a row of boxes."""
    polars = _polars()
    found: set[str] = set()
    for table in tables:
        if table.has_boxes and among:
            is_among = polars.col("ImageID").is_in(sorted(among))
            ids = _scan(table).filter(is_among).select(polars.col("ImageID").unique())
            found.update(_collected(ids, table)["ImageID"].to_list())
    return found


def _polars() -> Any:
    try:
        import polars
    except ImportError as exc:
        raise MissingPackageError("polars", "open_images") from exc
    return polars


def _scan(table: Table) -> pl.LazyFrame:
    """The whole table as text, with the number of each line, from 1."""
    polars = _polars()
    quoted = b'"' in head(table.path)
    frame = polars.scan_csv(
        table.path,
        has_header=table.has_header,
        new_columns=list(table.columns),
        infer_schema=False,
        quote_char='"' if quoted else None,
        row_index_name="line",
        row_index_offset=1 + table.has_header,
    )
    return cast("pl.LazyFrame", frame)


def _collected(frame: pl.LazyFrame, table: Table) -> pl.DataFrame:
    polars = _polars()
    try:
        return frame.collect(engine="streaming")
    except polars.exceptions.PolarsError as exc:
        line = _bad_line(table)
        if line is None:
            reason = str(exc).partition("\n")[0]
            raise AnnotationError(f"the file is not valid CSV: {reason}. Correct it.", path=table.path) from exc
        message = "the line is not UTF-8 text. Save the file as UTF-8."
        raise AnnotationError(message, path=table.path, line=line) from exc


def _bad_line(table: Table) -> int | None:
    """The first line that is not UTF-8."""
    with table.path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                line.decode()
            except UnicodeDecodeError:
                return number
    return None


def _part() -> pl.Expr:
    """Two characters of the image id that vary evenly, in random ids, counted ids and file names."""
    return cast("pl.Expr", _polars().col("ImageID").str.slice(-6, 2))


def _counts(tables: Sequence[Table], selection: Selection) -> Counter[str]:
    """The number of wanted rows of each part of the ids."""
    counts: Counter[str] = Counter()
    for table in tables:
        frame = _scan(table).filter(selection.of(table)).group_by(part=_part().fill_null("")).len()
        counts.update(dict(_collected(frame, table).iter_rows()))
    return counts


def _parts(counts: Counter[str], most_rows: int) -> Iterator[list[str]]:
    """Groups of parts of the ids; a group has at most `most_rows` rows, or is a single part."""
    group: list[str] = []
    for part in sorted(counts):
        if group and sum(counts[each] for each in group) + counts[part] > most_rows:
            yield group
            group = []
        group.append(part)
    if group:
        yield group


def bad_texts(table: Table) -> dict[int, str]:
    """By line, the text of the corners and flags of each row with `BoxRow.is_bad`."""
    polars = _polars()
    names = (*CORNERS, *(name for name in FLAGS if name in table.columns))
    text = polars.concat_str([polars.col(name).fill_null("") for name in names], separator=",")
    frame = _scan(table).filter(_box_columns(0, table)["is_bad"]).select("line", text=text)
    return dict(_collected(frame, table).iter_rows())


def _box_columns(number: int, table: Table) -> dict[str, pl.Expr]:
    polars = _polars()
    numbers = {name: polars.col(name).str.strip_chars().cast(polars.Float64, strict=False) for name in CORNERS}
    flags = [name for name in FLAGS if name in table.columns]
    values = {name: polars.col(name).str.strip_chars().fill_null("") for name in flags}
    is_bad = polars.any_horizontal(
        *(value.is_null() | ~value.is_finite() for value in numbers.values()),
        *(~value.is_in(["0", "1", "-1", ""]) for value in values.values()),
    )
    bits = [(value == "1") * (1 << FLAGS.index(name)) for name, value in values.items()]
    return {
        "table": polars.lit(number),
        "line": polars.col("line"),
        "mid": polars.col("LabelName").fill_null(""),
        **numbers,
        "flags": polars.sum_horizontal(*bits) if bits else polars.lit(0),
        "is_bad": is_bad,
    }


def _label_columns(number: int, table: Table) -> dict[str, pl.Expr]:
    polars = _polars()
    # Values between 0 and 1 are guesses of machines.
    confidence = polars.col("Confidence").str.strip_chars().cast(polars.Float64, strict=False)
    present = polars.when(confidence == 1).then(True).when(confidence == 0).then(False)
    return {"mid": polars.col("LabelName").fill_null(""), "present": present}


_Row = TypeVar("_Row", BoxRow, LabelRow)


def _rows(
    tables: Iterable[tuple[int, Table]],
    selection: Selection,
    part: Sequence[str],
    columns: Callable[[int, Table], Mapping[str, pl.Expr]],
    row_type: type[_Row],
) -> Iterator[_Row]:
    """The wanted rows of all tables whose image ids belong to `part`, sorted by id."""
    polars = _polars()
    frames = []
    for number, table in tables:
        wanted = _scan(table).filter(selection.of(table) & _part().fill_null("").is_in(list(part)))
        image_id = polars.col("ImageID").fill_null("")
        frames.append(_collected(wanted.select(image_id=image_id, **columns(number, table)), table))
    if not frames:
        return
    frame = polars.concat(frames).sort("image_id", maintain_order=True)
    for start in range(0, len(frame), _ROWS_AT_ONCE):
        lists = [column.to_list() for column in frame.slice(start, _ROWS_AT_ONCE).get_columns()]
        yield from map(row_type._make, zip(*lists, strict=True))


def _merged(boxes: Iterator[BoxRow], labels: Iterator[LabelRow]) -> Iterator[ImageRows]:
    """The rows of each image id; both inputs are sorted by id."""
    of_boxes, of_labels = (groupby(rows, key=itemgetter(0)) for rows in (boxes, labels))
    nothing: tuple[str, list[Any]] = ("", [])
    box, label = _next(of_boxes), _next(of_labels)
    while box or label:
        image_id = min(pair[0] for pair in (box, label) if pair)
        mine = box if box and box[0] == image_id else nothing
        mine_too = label if label and label[0] == image_id else nothing
        yield ImageRows(image_id, list(mine[1]), [row for row in mine_too[1] if row.present is not None])
        box = _next(of_boxes) if mine is box else box
        label = _next(of_labels) if mine_too is label else label


def _next(groups: Iterator[tuple[str, Iterator[Any]]]) -> tuple[str, list[Any]] | None:
    image_id, rows = next(groups, ("", None))
    return None if rows is None else (image_id, list(rows))
