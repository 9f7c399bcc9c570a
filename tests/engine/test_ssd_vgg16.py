"""SSD300 with VGG-16 has the published network and anchors, computed here from the paper."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator

import pytest
from support import engine_code, ssd_vgg16

pytestmark = pytest.mark.engine

NETWORK = (
    ssd_vgg16.BUILD
    + """
model = built()
predictions = model.predict(*model.preprocess(tf.zeros([1, 300, 300, 3])))
config = config_util.get_configs_from_pipeline_file(sys.argv[1])["model"]
config.ssd.feature_extractor.conv_hyperparams.batch_norm.decay = 0.97
config.ssd.feature_extractor.depth_multiplier = 0.125
normalised = model_builder.build(config, is_training=True)
maps_of_normalised = shapes(normalised, 300)
scale = model.feature_extractor.feature_map_generator.get_layer("conv4_3_norm").scale
json.dump(
    {
        "maps": shapes(model, 300),
        "parameters": sum(int(np.prod(v.shape)) for v in model.feature_extractor.trainable_variables),
        "with_heads": sum(int(np.prod(v.shape)) for v in
                          [*model.feature_extractor.trainable_variables, *model._box_predictor.trainable_variables]),
        "regularized": len(model.regularization_losses()),
        "scale": sorted(set(scale.numpy().tolist())),
        "norm": float(tf.norm(model.feature_extractor(tf.random.normal([1, 300, 300, 3]))[0][0, 7, 9])),
        "anchors": model.anchors.get().numpy().tolist(),
        "predicted": predictions["class_predictions_with_background"].shape.as_list(),
        "normalised": maps_of_normalised,
        "averages": len([v for v in normalised.feature_extractor.variables if "moving_mean" in v.name]),
        "smallest": shapes(built(depth_multiplier=0.1), 257),
        "too_small": said(shapes, built(depth_multiplier=0.1), 256),
        "fewer": [shapes(built(num_layers=n, depth_multiplier=0.125), 64) for n in (1, 2, 4)],
        "too_many": said(built, num_layers=7),
        "unfit": said(built, use_depthwise=True, use_explicit_padding=True),
    },
    open(sys.argv[2], "w"),
)
"""
)


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    folder = tmp_path_factory.mktemp("vgg")
    engine_code.printed("tf2", NETWORK, str(ssd_vgg16.config(folder)), str(folder / "network.json"))
    return dict(json.loads((folder / "network.json").read_text()))


SCALES = (0.1, 0.2, 0.37, 0.54, 0.71, 0.88, 1.05)
CELLS = (38, 19, 10, 5, 3, 1)
STEPS = (8, 16, 32, 64, 100, 300)
THREE, FIVE = (1, 2, 1 / 2), (1, 2, 1 / 2, 3, 1 / 3)
RATIOS = (THREE, FIVE, FIVE, FIVE, THREE, THREE)


def published_anchors() -> Iterator[tuple[float, float, float, float]]:
    """Centre y, centre x, height and width of every anchor, in parts of the image; section 2.2 of the paper."""
    for scale, following, cells, step, ratios in zip(SCALES, SCALES[1:], CELLS, STEPS, RATIOS, strict=False):
        sizes = [(scale / math.sqrt(ratio), scale * math.sqrt(ratio)) for ratio in ratios]
        sizes.insert(1, (math.sqrt(scale * following),) * 2)
        for row in range(cells):
            for column in range(cells):
                for height, width in sizes:
                    yield (row + 0.5) * step / 300, (column + 0.5) * step / 300, height, width


def test_the_anchors_are_the_published_ones(network: dict[str, list[list[float]]]) -> None:
    published = list(published_anchors())
    assert len(published) == len(network["anchors"]) == 8732
    worst = 0.0
    for (ymin, xmin, ymax, xmax), expected in zip(network["anchors"], published, strict=True):
        found = ((ymin + ymax) / 2, (xmin + xmax) / 2, ymax - ymin, xmax - xmin)
        worst = max(worst, *(abs(one - other) for one, other in zip(found, expected, strict=True)))
    assert worst < 1e-6


def test_the_network_is_the_published_one(network: dict[str, object]) -> None:
    depths = (512, 1024, 512, 256, 256, 256)
    assert network["maps"] == [[cells, cells, depth] for cells, depth in zip(CELLS, depths, strict=True)]
    assert network["scale"] == [20.0]
    assert network["norm"] == pytest.approx(20.0, rel=1e-5)
    convolutions = [  # kernel, depth in, depth out
        (3, 3, 64), (3, 64, 64), (3, 64, 128), (3, 128, 128), (3, 128, 256), (3, 256, 256), (3, 256, 256),
        (3, 256, 512), (3, 512, 512), (3, 512, 512), (3, 512, 512), (3, 512, 512), (3, 512, 512),
        (3, 512, 1024), (1, 1024, 1024),
        (1, 1024, 256), (3, 256, 512), (1, 512, 128), (3, 128, 256), (1, 256, 128), (3, 128, 256),
        (1, 256, 128), (3, 128, 256),
    ]  # fmt: skip
    parameters = sum(size * size * into * out + out for size, into, out in convolutions)
    assert network["parameters"] == parameters + 512  # the scales of conv4_3
    boxes = [len(ratios) + 1 for ratios in RATIOS]
    heads = sum((9 * depth + 1) * count * (4 + 21) for depth, count in zip(depths, boxes, strict=True))
    assert network["with_heads"] == parameters + 512 + heads
    assert network["regularized"] == len(convolutions) + 2 * len(depths)
    assert network["predicted"] == [1, 8732, 21]


def test_options_of_the_network(network: dict[str, object]) -> None:
    assert network["normalised"] == [
        [cells, cells, depth // 8] for cells, depth in zip(CELLS, (512, 1024, 512, 256, 256, 256), strict=True)
    ]
    assert network["averages"] == 23
    assert network["fewer"] == [
        [[8, 8, 64]],
        [[8, 8, 64], [4, 4, 128]],
        [[8, 8, 64], [4, 4, 128], [2, 2, 64], [1, 1, 32]],
    ]
    assert [shape[:2] for shape in network["smallest"]] == [[33, 33], [17, 17], [9, 9], [5, 5], [3, 3], [1, 1]]  # type: ignore[attr-defined]
    assert "image size must be >= 257" in str(network["too_small"])
    assert "num_layers is 7. ssd_vgg16_keras has 6 feature maps." in str(network["too_many"])
    assert "sets use_depthwise and use_explicit_padding, but VGG-16 has no such option. Remove it." in str(
        network["unfit"]
    )
