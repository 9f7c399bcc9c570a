"""The stages in TF2 style."""

from __future__ import annotations

import contextlib
import math
from pathlib import Path
from typing import Any

import tensorflow as tf
from campaigns.verdicts.stages import Stages, tensors_of
from object_detection import inputs, model_lib, model_lib_v2
from object_detection.builders import model_builder, optimizer_builder

from tfod_tools.engine.training import keras_weights, rms_prop
from tfod_tools.engine.training.replacing import replaced


class _Reached(Exception):
    """Training takes its first step."""


class EagerStages(Stages):
    """Training as `model_lib_v2` has it: its steps are graphs, too, made for what the dataset says of its batches."""

    style = "tf2"

    def __init__(self, config: Path, model_dir: Path, *, patient: bool) -> None:
        super().__init__(config, model_dir, patient=patient)
        self._dataset: Any = None
        self._step: Any = None

    def model(self) -> None:
        tf.keras.backend.clear_session()
        self.detector = model_builder.build(self.configs["model"], is_training=True)

    def optimizer(self) -> None:
        step = tf.Variable(0, dtype=tf.int64)
        with rms_prop.decay_of_the_mean():
            _, (rate,) = optimizer_builder.build(self.configs["train_config"].optimizer, global_step=step)
        for at in self.turns():
            step.assign(at)
            self.rates.append(float(rate() if callable(rate) else rate))

    def input(self) -> None:
        self._dataset = inputs.train_input(
            self.configs["train_config"],
            self.configs["train_input_config"],
            self.configs["model"],
            model=self.detector,
            input_context=tf.distribute.InputContext(
                num_input_pipelines=self.machines,
                input_pipeline_id=self.machines - 1,
                num_replicas_in_sync=self.gpus,
            ),
        )

    def read_batch(self) -> Any:
        return tf.nest.map_structure(lambda tensor: tensor.numpy(), next(iter(self._dataset)))

    def loss(self) -> None:
        def step(features: Any, labels: Any) -> Any:
            labels = model_lib.unstack_batch(labels, self.configs["train_config"].unpad_groundtruth_tensors)
            losses, predictions = model_lib_v2._compute_losses_and_predictions_dicts(
                self.detector, features, labels, training_step=0
            )
            return tensors_of(predictions, tf.Tensor), losses

        self._step = tf.function(step)
        self._step.get_concrete_function(*self._dataset.element_spec)

    def values(self) -> None:
        predictions, losses = self._step(*tf.nest.map_structure(tf.constant, self.first))
        self.predictions = {name: value.numpy() for name, value in predictions.items()}
        self.losses = {name: float(value) for name, value in losses.items()}

    def detect(self) -> None:
        detector = model_builder.build(self.configs["model"], is_training=False)

        def detections(images: Any) -> Any:
            pixels, sizes = detector.preprocess(images)
            return detector.postprocess(detector.predict(pixels, sizes), sizes)

        tf.function(detections).get_concrete_function(tf.TensorSpec([1, None, None, 3], tf.float32))

    def start(self) -> None:
        def first_step(*args: Any, **kwargs: Any) -> None:
            raise _Reached

        loop = replaced(model_lib_v2, "eager_train_step", first_step)
        with rms_prop.decay_of_the_mean(), keras_weights.accepted(), loop, contextlib.suppress(_Reached):
            model_lib_v2.train_loop(pipeline_config_path=self.path, model_dir=self.model_dir)

    def save(self, prefix: str, *, spoilt: bool = False) -> None:
        for variable in self.detector.trainable_variables if spoilt else ():
            variable.assign(variable * math.nan)
        folder, (name, number) = Path(prefix).parent, Path(prefix).name.split("-")
        checkpoint = tf.train.Checkpoint(step=tf.Variable(1, dtype=tf.int64), model=self.detector)
        manager = tf.train.CheckpointManager(checkpoint, str(folder), max_to_keep=1, checkpoint_name=name)
        manager.save(checkpoint_number=int(number))

    def anchors_on(self, height: int, width: int) -> Any:
        (boxes,) = self.detector._first_stage_anchor_generator.generate([(height, width)])
        return boxes.get().numpy()
