"""The network of the original SSD: VGG-16 as convolutions, with extra feature layers on top.

W. Liu et al., "SSD: Single Shot MultiBox Detector", ECCV 2016, https://arxiv.org/abs/1512.02325; the padding of the
extra layers as in the authors' Caffe code. At 300x300 the feature maps have 38, 19, 10, 5, 3 and 1 cells a side.
"""

from __future__ import annotations

import re
from typing import Any

import tensorflow.compat.v1 as tf
from object_detection.meta_architectures import ssd_meta_arch
from object_detection.utils import ops, shape_utils

from tfod_tools.base.errors import CheckpointError, ConfigError
from tfod_tools.engine.extractors import register
from tfod_tools.engine.training import keras_weights

_BLOCKS = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))  # depth of a block, and its number of convolutions
_FC_DEPTH = 1024
# The layers after fc7: depth of the 1x1 convolution, depth of the 3x3 one, its stride, and the zeros around its input.
_EXTRA = {"conv6": (256, 512, 2, 1), "conv7": (128, 256, 2, 1), "conv8": (128, 256, 1, 0), "conv9": (128, 256, 1, 0)}
_SMALLEST_SIDE = (1, 1, 1, 1, 129, 257)  # of an image for 1, 2, ... 6 feature maps, in pixels
_MEAN_BGR = (103.939, 116.779, 123.68)  # of ImageNet, as VGG-16 was trained with
_INITIAL_SCALE = 20.0  # section 3.1 of the paper

_CONVOLUTIONS = tuple((block, i) for block, (_, count) in enumerate(_BLOCKS, 1) for i in range(1, count + 1))
# The names under which a file may hold a layer: those of Keras' VGG16, of Caffe's, and of a `.weights.h5` of Keras 2,
# which only numbers the convolutions.
_NAMES_IN_FILE = {
    f"block{block}_conv{i}": (f"block{block}_conv{i}", f"conv{block}_{i}", f"conv2d_{n}" if n else "conv2d")
    for n, (block, i) in enumerate(_CONVOLUTIONS)
} | {"fc6": ("fc6",), "fc7": ("fc7",)}
_OF_A_BLOCK = re.compile(r"(block[1-5]_conv|conv[1-5]_)\d")


@register("ssd", "ssd_vgg16_keras")
class SSDVGG16KerasFeatureExtractor(ssd_meta_arch.SSDKerasFeatureExtractor):  # type: ignore[misc]
    """The feature maps conv4_3 (L2-normalised), fc7, conv6_2, conv7_2, conv8_2, conv9_2, or the first `num_layers`.

    `conv_hyperparams` hold for all layers, including the base network, whatever
    `override_base_feature_extractor_hyperparams` says. The layers of the base have the names of Keras' VGG16. The
    published network has no batch normalisation. If the config asks for it, it follows each convolution.
    """

    def __init__(self, **options: Any) -> None:
        """Takes what the engine passes to every Keras SSD extractor.

        Raises:
          ConfigError: an option has no meaning for this network.
        """
        super().__init__(**options)
        unfit = {"use_depthwise": self._use_depthwise, "use_explicit_padding": self._use_explicit_padding}
        if any(unfit.values()):
            fields = " and ".join(name for name, is_set in unfit.items() if is_set)
            raise ConfigError(f"model.ssd.feature_extractor sets {fields}, but VGG-16 has no such option. Remove it.")
        if not 1 <= self._num_layers <= len(_EXTRA) + 2:
            found = f"model.ssd.feature_extractor.num_layers is {self._num_layers}"
            raise ConfigError(
                f"{found}. ssd_vgg16_keras has {len(_EXTRA) + 2} feature maps. Set 1 to {len(_EXTRA) + 2}."
            )
        self.classification_backbone: Any = None
        self.feature_map_generator: Any = None

    def build(self, input_shape: Any) -> None:
        """Makes the base network and the layers on top of it."""
        self.classification_backbone = self._base()
        self.feature_map_generator = self._extra_layers()
        self.built = True

    def preprocess(self, resized_inputs: Any) -> Any:
        """RGB in 0..255, [batch, height, width, 3], as VGG-16 was trained: BGR less the mean of ImageNet."""
        return resized_inputs[..., ::-1] - tf.constant(_MEAN_BGR)

    def load_keras_weights(self, path: str) -> None:
        """Loads the base network from an HDF5 file of Keras, of VGG16 or of its fully convolutional form.

        fc6 and fc7 keep their initial values if the file has neither of them.

        Raises:
          CheckpointError: the file cannot be read, or holds another network.
        """
        found = keras_weights.read(path)
        known = {name for names in _NAMES_IN_FILE.values() for name in names}
        other = ", ".join(name for name in found if _OF_A_BLOCK.fullmatch(name) and name not in known)
        if other:
            raise CheckpointError(f"holds {other}, but VGG-16 has no such layer. Pass weights of VGG-16.", path=path)
        names = {layer: next((n for n in names if n in found), None) for layer, names in _NAMES_IN_FILE.items()}
        if names["fc6"] is None and names["fc7"] is None:
            del names["fc6"], names["fc7"]
        layers = {self.classification_backbone.get_layer(layer): name for layer, name in names.items()}
        keras_weights.assign(layers, found, path)

    def _extract_features(self, preprocessed_inputs: Any) -> Any:
        images = shape_utils.check_min_image_dim(_SMALLEST_SIDE[self._num_layers - 1], preprocessed_inputs)
        padded = ops.pad_to_multiple(images, self._pad_to_multiple)
        return tf.nest.flatten(self.feature_map_generator(self.classification_backbone(padded)))

    def _base(self) -> Any:
        images = net = tf.keras.Input((None, None, 3))
        for block, (depth, convolutions) in enumerate(_BLOCKS, 1):
            for i in range(1, convolutions + 1):
                net = self._convolution(f"block{block}_conv{i}", depth, 3)(net)
            if block == 4:
                conv4_3 = net
            size, stride = (3, 1) if block == 5 else (2, 2)
            net = tf.keras.layers.MaxPooling2D(size, stride, padding="same", name=f"block{block}_pool")(net)
        net = self._convolution("fc6", _FC_DEPTH, 3, dilation_rate=6)(net)
        return tf.keras.Model(images, [conv4_3, self._convolution("fc7", _FC_DEPTH, 1)(net)], name="vgg16")

    def _extra_layers(self) -> Any:
        conv4_3, fc7 = inputs = [tf.keras.Input(shape[1:]) for shape in self.classification_backbone.output_shape]
        maps = [_L2Normalization(name="conv4_3_norm")(conv4_3), fc7]
        for name, (narrow, wide, stride, zeros) in list(_EXTRA.items())[: max(self._num_layers - 2, 0)]:
            net = self._convolution(f"{name}_1", narrow, 1)(maps[-1])
            net = tf.keras.layers.ZeroPadding2D(zeros, name=f"{name}_padding")(net)
            maps.append(self._convolution(f"{name}_2", wide, 3, strides=stride, padding="valid")(net))
        return tf.keras.Model(inputs, maps[: self._num_layers], name="extra_layers")

    def _convolution(self, name: str, depth: int, size: int, **options: Any) -> Any:
        depth = max(int(depth * self._depth_multiplier), self._min_depth)
        given, normalised = self._conv_hyperparams, self._conv_hyperparams.use_batch_norm()
        options = {"padding": "same", **given.params(include_activation=not normalised), **options}
        convolution = tf.keras.layers.Conv2D(depth, size, name=name, **options)
        if not normalised:
            return convolution
        training = self._is_training and not self._freeze_batchnorm
        batch_norm = given.build_batch_norm(training, name=f"{name}_batch_norm")
        activation = given.build_activation_layer(f"{name}_activation")
        return lambda images: activation(batch_norm(convolution(images)))


class _L2Normalization(tf.keras.layers.Layer):  # type: ignore[misc]
    """Scales each cell's vector of features to length 1, then multiplies each channel by a learned scale."""

    def build(self, input_shape: Any) -> None:
        initial = tf.keras.initializers.Constant(_INITIAL_SCALE)
        self.scale = self.add_weight("scale", shape=[input_shape[-1]], initializer=initial)
        super().build(input_shape)

    def call(self, inputs: Any) -> Any:
        return tf.math.l2_normalize(inputs, axis=-1) * self.scale
