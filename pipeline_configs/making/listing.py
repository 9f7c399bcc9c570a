"""The templates as a table."""

from __future__ import annotations

from pipeline_configs.making import template

_NOTE = """\
mAP and ms an image are the model zoo's, where it has weights (--checkpoint=auto): of boxes in percent, at an IoU of 0.5
where the data is not COCO; times are from different machines. docs/templates.md tells more of each."""


def lines() -> list[str]:
    """A line for each template below the names of the columns, and what they mean."""
    shown = [("template", "style", "input", "mAP", "ms", "of"), *map(_row, template.listing())]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    found = []
    for name, style, size, precision, speed, data in shown:
        left = f"{name:{widths[0]}}  {style:{widths[1]}}  {size:{widths[2]}}"
        found.append(f"{left}  {precision:>{widths[3]}}  {speed:>{widths[4]}}  {data}".rstrip())
    return [*found, _NOTE]


def _row(one: template.Listed) -> tuple[str, str, str, str, str, str]:
    precision, speed = (f"{number:g}" if number is not None else "-" for number in (one.zoo_map, one.zoo_speed_ms))
    return one.name, one.style, one.input_size, precision, speed, one.zoo_data
