"""All anchors of a config for one size of the input, and what Faster R-CNN does with those at the border in training.

Source: meta_architectures/ssd_meta_arch.py (predict), meta_architectures/faster_rcnn_meta_arch.py
(_predict_first_stage) and core/box_list_ops.py (clip_to_window, prune_outside_window) of the engine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pipeline_configs.anchors import feature_maps, generators, resizer
from pipeline_configs.anchors.grid import Grid
from pipeline_configs.text.text_proto import Config

if TYPE_CHECKING:
    import numpy as np
    from numpy import typing as npt

Size = tuple[int, int]
Border = Literal["free", "pruned", "clipped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorSet:
    """Anchors for inputs of one size.

    Attributes:
      grids: one for each feature map.
      frame: height and width of the input, in pixels.
      unit: how many pixels one unit of the coordinates is, down and to the right. SSD has fractions of the frame, so
        this is the frame; Faster R-CNN has pixels, so this is 1.
      border: what happens to anchors that reach beyond the image: nothing, they are left out, or they are clipped.
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
        """How many anchors there are, with those that are left out at the border."""
        return sum(grid.count for grid in self.grids)

    def located(self, fractions: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Boxes [boxes, 4], given as fractions of the input, in the anchors' coordinates."""
        import numpy as np

        return np.asarray(fractions * np.float32([*self.window, *self.window]))

    def boxes(self) -> npt.NDArray[np.float32]:
        """All anchors [count, 4], clipped if `border` says so, and with those that are left out."""
        import numpy as np

        boxes = np.concatenate([grid.boxes() for grid in self.grids] or [np.empty((0, 4), np.float32)])
        if self.border == "clipped":
            return np.clip(boxes, np.float32(0), np.float32([*self.window, *self.window]))
        return boxes

    def kept(self, boxes: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
        """Which anchors of `boxes` [count, 4] take part in training [count]."""
        import numpy as np

        if self.border != "pruned":
            return np.ones(len(boxes), bool)
        height, width = (np.float32(side) for side in self.window)
        inside = (boxes[:, 0] >= 0) & (boxes[:, 1] >= 0) & (boxes[:, 2] <= height) & (boxes[:, 3] <= width)
        return inside


def of_config(config: Config, frame: Size) -> AnchorSet:
    """The anchors of the config's model in training, for inputs of `frame` pixels (height, width).

    Raises:
      ConfigError: the model has no anchors, its feature maps are not known, or the engine would refuse its generator.
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
