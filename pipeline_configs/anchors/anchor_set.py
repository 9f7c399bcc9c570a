"""All anchors of a config for one size of the input, with what Faster R-CNN does to them at the border in training.

Source: meta_architectures/ssd_meta_arch.py (predict), meta_architectures/faster_rcnn_meta_arch.py
(_predict_first_stage) and core/box_list_ops.py (clip_to_window, prune_outside_window) of the engine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from pipeline_configs.anchors import feature_maps, generators, resizer
from pipeline_configs.anchors.grid import Grid
from pipeline_configs.text.text_proto import Config

Size = tuple[int, int]
Border = Literal["free", "pruned", "clipped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorSet:
    """Anchors for inputs of one size.

    Attributes:
      grids: one a feature map.
      frame: height and width of the input, in pixels.
      unit: pixels for each unit of the coordinates, down and to the right: the frame, where they are fractions of it,
        as in SSD; 1, where they are pixels, as in Faster R-CNN.
      border: whether anchors may reach beyond the image, or are left out, or clipped.
    """

    grids: tuple[Grid, ...]
    frame: Size
    unit: tuple[float, float]
    border: Border

    @property
    def window(self) -> tuple[float, float]:
        """Height and width of the input in the anchors' coordinates."""
        return self.frame[0] / self.unit[0], self.frame[1] / self.unit[1]

    @property
    def count(self) -> int:
        """How many anchors there are, whether or not they survive at the border."""
        return sum(grid.count for grid in self.grids)

    def located(self, fractions: Any) -> Any:
        """Boxes that are fractions of the input, float32 [boxes, 4], in the anchors' coordinates."""
        import numpy as np

        return fractions * np.float32([*self.window, *self.window])

    def boxes(self) -> Any:
        """All anchors, float32 [count, 4], clipped where that is the rule; those to be pruned are among them."""
        import numpy as np

        boxes = np.concatenate([grid.boxes() for grid in self.grids] or [np.empty((0, 4), np.float32)])
        if self.border == "clipped":
            return np.clip(boxes, np.float32(0), np.float32([*self.window, *self.window]))
        return boxes

    def kept(self, boxes: Any) -> Any:
        """Which of `boxes` are anchors in training, bool [count]."""
        import numpy as np

        if self.border != "pruned":
            return np.ones(len(boxes), bool)
        height, width = (np.float32(side) for side in self.window)
        inside = (boxes[:, 0] >= 0) & (boxes[:, 1] >= 0) & (boxes[:, 2] <= height) & (boxes[:, 3] <= width)
        return np.asarray(inside)


def of_config(config: Config, frame: Size) -> AnchorSet:
    """The anchors with which the config's model is trained on inputs of `frame` pixels.

    Raises:
      ConfigError: the model has no anchors, nobody knows its feature maps, or the engine would stop at its generator.
    """
    maps = feature_maps.sizes(config, frame)
    if config.model.HasField("ssd"):
        model = config.model.ssd
        known = resizer.frame(model.image_resizer) is not None
        grids = generators.grids(model.anchor_generator, maps, frame, known_beforehand=known)
        return AnchorSet(grids=tuple(grids), frame=frame, unit=(float(frame[0]), float(frame[1])), border="free")
    model = config.model.faster_rcnn
    grids = generators.grids(model.first_stage_anchor_generator, maps, None)
    border: Border = "clipped" if model.clip_anchors_to_image else "pruned"
    return AnchorSet(grids=tuple(grids), frame=frame, unit=(1.0, 1.0), border=border)
