"""What the tests of SSD300 with VGG-16 share: its config, and the piece of Python that builds it in a child process."""

from __future__ import annotations

from pathlib import Path

from pipeline_configs.making import template
from pipeline_configs.text import schema

TEMPLATE = "ssd_vgg16_300x300_keras"


def config(folder: Path) -> Path:
    """The template with the 20 classes of Pascal VOC, as a file in `folder`."""
    pipeline = template.read(TEMPLATE)
    pipeline.model.ssd.num_classes = 20
    path = folder / "pipeline.config"
    path.write_text(schema.dump(pipeline))
    return path


# Begins a piece that gets the config as its first argument.
BUILD = """
import json, sys
import numpy as np
import tensorflow as tf
from object_detection.builders import model_builder
from object_detection.utils import config_util
from tfod_tools.base.errors import TfodError
from tfod_tools.engine import extractors

extractors.provide(sys.argv[1], None)

def built(**fields):
    config = config_util.get_configs_from_pipeline_file(sys.argv[1])["model"]
    for name, value in fields.items():
        setattr(config.ssd.feature_extractor, name, value)
    return model_builder.build(config, is_training=True)

def shapes(model, side):
    return [list(feature_map.shape[1:]) for feature_map in model.feature_extractor(tf.zeros([1, side, side, 3]))]

def said(action, *arguments, **options):
    try:
        action(*arguments, **options)
    except (TfodError, ValueError) as error:
        return f"{type(error).__name__}: {error}"
"""
