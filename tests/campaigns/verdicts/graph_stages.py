"""The stages in TF1 style, each config in a graph of its own."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import tensorflow.compat.v1 as tf
from campaigns.verdicts.stages import Stages, tensors_of
from object_detection import inputs, model_hparams, model_lib
from object_detection.builders import model_builder, optimizer_builder
from tensorflow.compat.v1 import estimator as tf_estimator

from tfod_tools.engine.training.replacing import replaced


class GraphStages(Stages):
    """Training as `model_lib` has it."""

    style = "tf1"

    def __init__(self, config: Path, model_dir: Path, *, patient: bool) -> None:
        super().__init__(config, model_dir, patient=patient)
        self._graph = tf.Graph()
        self._iterator: Any = None
        self._tensors: Any = None
        self._outputs: Any = None

    def model(self) -> None:
        with self._graph.as_default():
            self.detector = model_builder.build(self.configs["model"], is_training=True)

    def optimizer(self) -> None:
        with tf.Graph().as_default(), tf.Session() as session:
            step = tf.placeholder(tf.int64, ())
            _, (rate,) = optimizer_builder.build(self.configs["train_config"].optimizer, global_step=step)
            self.rates = [float(session.run(rate, {step: at})) for at in self.turns()]

    def input(self) -> None:
        with self._graph.as_default():
            dataset = inputs.train_input(
                self.configs["train_config"], self.configs["train_input_config"], self.configs["model"]
            )
            self._iterator = tf.data.make_initializable_iterator(dataset)
            self._tensors = self._iterator.get_next()

    def read_batch(self) -> Any:
        with self._graph.as_default(), tf.Session() as session:
            session.run([self._iterator.initializer, tf.tables_initializer()])
            return session.run(self._tensors)

    def loss(self) -> None:
        with self._graph.as_default():
            features, labels = self._tensors
            labels = model_lib.unstack_batch(labels, self.configs["train_config"].unpad_groundtruth_tensors)
            model_lib.provide_groundtruth(self.detector, labels)
            sizes = features["true_image_shape"]
            side_inputs = self.detector.get_side_inputs(features)
            predictions = self.detector.predict(features["image"], sizes, **side_inputs)
            losses = self.detector.loss(predictions, sizes)
            self._outputs = tensors_of(predictions, tf.Tensor), losses

    def values(self) -> None:
        with self._graph.as_default(), tf.Session() as session:
            session.run(tf.global_variables_initializer())
            tensors, arrays = tf.nest.flatten(self._tensors), tf.nest.flatten(self.first)
            self.predictions, losses = session.run(self._outputs, dict(zip(tensors, arrays, strict=True)))
            self.losses = {name: float(value) for name, value in losses.items()}

    def detect(self) -> None:
        with tf.Graph().as_default():
            detector = model_builder.build(self.configs["model"], is_training=False)
            pixels, sizes = detector.preprocess(tf.placeholder(tf.float32, [1, None, None, 3]))
            detector.postprocess(detector.predict(pixels, sizes), sizes)

    def start(self) -> None:
        parts = model_lib.create_estimator_and_inputs(
            run_config=tf_estimator.RunConfig(model_dir=self.model_dir),
            hparams=model_hparams.create_hparams(),
            pipeline_config_path=self.path,
        )
        load = tf.train.init_from_checkpoint

        def noted(checkpoint: str, assignments: Any) -> None:
            self.loaded = len(assignments)
            load(checkpoint, assignments)

        with tf.Graph().as_default(), replaced(tf.train, "init_from_checkpoint", noted):
            features, labels = tf.data.make_initializable_iterator(parts["train_input_fn"]()).get_next()
            parts["estimator"].model_fn(features, labels, tf_estimator.ModeKeys.TRAIN, None)

    def save(self, prefix: str, *, spoilt: bool = False) -> None:
        with self._graph.as_default(), tf.Session() as session:
            step = tf.train.get_or_create_global_step()
            optimizer, _ = optimizer_builder.build(self.configs["train_config"].optimizer, global_step=step)
            optimizer.minimize(tf.add_n(list(self._outputs[1].values())), step)  # makes the variables of training
            spoil = [variable.assign(variable * math.nan) for variable in tf.trainable_variables() if spoilt]
            session.run(tf.global_variables_initializer())
            session.run(spoil)
            tf.train.Saver(save_relative_paths=True).save(session, prefix)

    def anchors_on(self, height: int, width: int) -> Any:
        with self._graph.as_default(), tf.Session() as session:
            (boxes,) = self.detector._first_stage_anchor_generator.generate([(height, width)])
            return session.run(boxes.get())
