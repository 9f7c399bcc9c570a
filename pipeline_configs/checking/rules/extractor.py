"""Rules about the feature extractor and its settings."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline_configs import extractors
from pipeline_configs.checking.rule import Evidence, Subject, rule
from pipeline_configs.patches import nested
from pipeline_configs.patches.patch import Edit
from tfod_tools.base import plugins

_BUILDER = "builders/model_builder.py"

# Fields that some extractors of an architecture take and others do not.
_OF_SOME = {
    "ssd": ("num_layers", "fpn", "bifpn", "spaghettinet_arch_name"),
    "faster_rcnn": ("fpn", "conv_hyperparams"),
}


@rule("CFG01", "error", "The engine stops when it builds the model.", source=_BUILDER)
def unknown_extractor(subject: Subject) -> Iterator[Evidence]:
    """There is no feature extractor of this type.

    The engine has one list of types for each architecture and style. Types that end in _keras, and all types of
    CenterNet, are TF2 style. A type of your own needs --extension.
    """
    if not subject.architecture:
        found = subject.config.model.WhichOneof("model")
        problem = f"model.{found} is not an architecture that check_config knows." if found else "There is no model."
        yield Evidence("model", problem, "Set model.ssd, model.faster_rcnn or model.center_net.")
    elif subject.style is None and not _elsewhere(subject.extractor):
        path = f"{subject.model_path}.feature_extractor.type"
        problem = f"There is no feature extractor '{subject.extractor}'." if subject.extractor else "type is not set."
        yield Evidence(path, problem, _hint(subject))


@rule("CFG02", "error", "The engine stops when it builds the model.", source=_BUILDER)
def extractor_of_another_architecture(subject: Subject) -> Iterator[Evidence]:
    """The feature extractor belongs to another architecture.

    A feature extractor of Faster R-CNN ends at the features for the proposals. A feature extractor of SSD adds layers
    of its own. So neither can take the place of the other.
    """
    if subject.architecture and subject.style is None and (other := _elsewhere(subject.extractor)):
        path = f"{subject.model_path}.feature_extractor.type"
        problem = f"The type '{subject.extractor}' belongs to {other}, but the model is {subject.architecture}."
        yield Evidence(path, problem, _hint(subject))


def _hint(subject: Subject) -> str:
    """Types with a similar name, or where to find types: there are too many to list."""
    hint = plugins.suggestion(subject.extractor, extractors.known()[subject.architecture])
    is_guess = hint.startswith("Did you mean")
    return hint if is_guess else f"See tfod make_config --list for templates with a type of {subject.architecture}."


def _elsewhere(extractor: str) -> str:
    """The architecture that has this type; "" where none does."""
    return next((name for name, types in extractors.known().items() if extractor in types), "")


@rule("CFG13", "error", "The engine stops when it builds the extractor.", source=_BUILDER)
def field_of_another_extractor(subject: Subject) -> Iterator[Evidence]:
    """A field is set that this type of feature extractor does not take.

    The engine passes num_layers, fpn, bifpn and spaghettinet_arch_name to the class of the extractor if they are set.
    num_layers is for extractors without a feature pyramid, and fpn and bifpn are for extractors with this pyramid.
    """
    extractor = subject.extractor
    if not extractors.is_engines(subject.architecture, extractor):
        return
    message = subject.model.feature_extractor
    if subject.architecture == "faster_rcnn" and subject.style == "tf1":
        return
    for name in _OF_SOME.get(subject.architecture, ()):
        if message.HasField(name) and name not in extractors.of(extractor).takes:
            path = f"{subject.model_path}.feature_extractor.{name}"
            problem = f"{name} is set, but the type {extractor} does not take it."
            yield Evidence(path, problem, "Remove the field.", (Edit(path=path, value=None),))


@rule(
    "CFG14",
    "error",
    "The engine stops when it builds the extractor.",
    source="models/ssd_efficientnet_bifpn_feature_extractor.py",
    architecture="ssd",
)
def efficientdet_changed(subject: Subject) -> Iterator[Evidence]:
    """A field is set that EfficientDet does not support.

    The type, from b0 to b7, and bifpn decide the size of an EfficientDet. depth_multiplier, use_explicit_padding and
    use_depthwise are for other networks.
    """
    message = subject.model.feature_extractor
    if extractors.of(subject.extractor).pyramid != "bifpn":
        return
    for name, default in (("depth_multiplier", 1.0), ("use_explicit_padding", False), ("use_depthwise", False)):
        if getattr(message, name) != default:
            path = f"{subject.model_path}.feature_extractor.{name}"
            value = getattr(message, name)
            shown = str(value).lower() if isinstance(value, bool) else f"{value:g}"
            problem = f"{name} is {shown}, but EfficientDet does not support it."
            yield Evidence(path, problem, "Remove the field.", (Edit(path=path, value=None),))


@rule(
    "CFG41",
    "error",
    "The engine stops when it builds the extractor.",
    source="models/ssd_inception_v2_feature_extractor.py",
    architecture="ssd",
)
def inception_without_override(subject: Subject) -> Iterator[Evidence]:
    """An SSD with Inception needs override_base_feature_extractor_hyperparams.

    These extractors use conv_hyperparams for all of their layers, and the config has to say so.
    """
    message = subject.model.feature_extractor
    if extractors.of(subject.extractor).needs_override and not message.override_base_feature_extractor_hyperparams:
        path = f"{subject.model_path}.feature_extractor.override_base_feature_extractor_hyperparams"
        problem = f"override_base_feature_extractor_hyperparams is false, but {subject.extractor} needs true."
        yield Evidence(path, problem, "Set it to true.", (Edit(path=path, value="true"),))


@rule("CFG15", "error", "The engine stops at the first image.", source="utils/shape_utils.py", architecture="ssd")
def small_input(subject: Subject) -> Iterator[Evidence]:
    """The input is too small for the network.

    The extractors of SSD need 33 pixels or more on each side, and those of EfficientDet 129. The embedded MobileNet
    takes only 256 x 256 pixels.
    """
    resizer = subject.model.image_resizer
    path = f"{subject.model_path}.image_resizer"
    if resizer.HasField("fixed_shape_resizer"):
        path = f"{path}.fixed_shape_resizer"
        sides = [resizer.fixed_shape_resizer.height, resizer.fixed_shape_resizer.width]
    elif resizer.HasField("keep_aspect_ratio_resizer"):
        path = f"{path}.keep_aspect_ratio_resizer"
        ratio = resizer.keep_aspect_ratio_resizer
        sides = [ratio.max_dimension if ratio.pad_to_max_dimension else ratio.min_dimension]
    else:
        return
    found = f"{' x '.join(map(str, sides))} pixels" if len(sides) == 2 else f"{sides[0]} pixels on one side"
    kind = extractors.of(subject.extractor)
    if kind.input_side:
        if sides != [kind.input_side] * 2:
            only = f"{kind.input_side} x {kind.input_side} pixels"
            problem = f"The input has {found}, but {subject.extractor} takes only {only}."
            yield Evidence(path, problem, f"Use fixed_shape_resizer with {only}.")
    elif min(sides) < kind.least_side and extractors.is_engines("ssd", subject.extractor):
        problem = f"The input has {found}, but {subject.extractor} needs {kind.least_side} or more on each side."
        yield Evidence(path, problem, "Use a larger input.")


@rule("CFG19", "warning", "It has no effect in TF2 style.", source="builders/hyperparams_builder.py", style="tf2")
def ignored_normalisation(subject: Subject) -> Iterator[Evidence]:
    """The config asks for a kind of normalisation that TF2 style does not have.

    The Keras layers support neither group_norm nor batch_norm.train. With group_norm there is no normalisation at all.
    To freeze batch normalisation, use freeze_batchnorm of the model.
    """
    for path, hyperparams in nested.messages(subject.config.model, "Hyperparams", "model"):
        if hyperparams.HasField("group_norm"):
            problem = "group_norm is set, but TF2 style does not support it."
            meaning = "The layers have no normalisation."
            yield Evidence(f"{path}.group_norm", problem, "Use batch_norm.", meaning=meaning)
        if hyperparams.HasField("batch_norm") and not hyperparams.batch_norm.train:
            advice = "Set freeze_batchnorm of the model to true to freeze batch normalisation."
            yield Evidence(f"{path}.batch_norm.train", "batch_norm.train is false.", advice)


@rule(
    "CFG20",
    "error",
    "The engine stops when it builds the layers.",
    source="builders/hyperparams_builder.py",
    style="tf1",
)
def keras_only_hyperparams(subject: Subject) -> Iterator[Evidence]:
    """A setting of the layers is used that exists only in TF2 style.

    These settings are force_use_bias, sync_batch_norm and keras_initializer_by_name.
    """
    for path, hyperparams in nested.messages(subject.config.model, "Hyperparams", "model"):
        if hyperparams.force_use_bias:
            path_ = f"{path}.force_use_bias"
            yield Evidence(path_, _only_tf2("force_use_bias"), "Remove the field.", (Edit(path=path_, value=None),))
        if hyperparams.HasField("sync_batch_norm"):
            yield Evidence(f"{path}.sync_batch_norm", _only_tf2("sync_batch_norm"), "Use batch_norm.")
        if hyperparams.initializer.HasField("keras_initializer_by_name"):
            name = "keras_initializer_by_name"
            yield Evidence(f"{path}.initializer.{name}", _only_tf2(name), "Use another initializer.")


def _only_tf2(field: str) -> str:
    return f"{field} exists only in TF2 style, but the model is TF1 style."


@rule(
    "CFG40",
    "warning",
    "The base network keeps its own value, because conv_hyperparams is only for the layers that SSD adds.",
    source="models/",
    architecture="ssd",
)
def base_network_keeps_its_own(subject: Subject) -> Iterator[Evidence]:
    """Regularisation or batch normalisation is set, but the base network does not use it.

    conv_hyperparams of the extractor is only for the layers that SSD adds, unless
    override_base_feature_extractor_hyperparams is true. A MobileNet keeps an l2 weight of 0.00004 and a batch
    normalisation decay of 0.9997; a ResNet keeps 0.0001 and 0.997. In short runs from scratch this decay alone can ruin
    the result: the averages that evaluation uses are still those of the start. With a checkpoint there is no finding,
    because its weights were trained with the built-in values.
    """
    message = subject.model.feature_extractor
    built_in = extractors.of(subject.extractor).backbone.built_in
    if built_in is None or message.override_base_feature_extractor_hyperparams:
        return
    if subject.config.train_config.fine_tune_checkpoint or not extractors.is_engines("ssd", subject.extractor):
        return
    hyperparams, (weight, decay) = message.conv_hyperparams, built_in
    path = f"{subject.model_path}.feature_extractor.conv_hyperparams"
    fix = (
        Edit(path=f"{subject.model_path}.feature_extractor.override_base_feature_extractor_hyperparams", value="true"),
    )
    regularizer = hyperparams.regularizer
    if regularizer.HasField("l2_regularizer") and _differ(regularizer.l2_regularizer.weight, weight):
        given = regularizer.l2_regularizer.weight
        problem = f"The weight of l2_regularizer is {given:g}, but {weight:g} in the base network."
        yield Evidence(f"{path}.regularizer.l2_regularizer.weight", problem, _OVERRIDE, fix)
    if hyperparams.HasField("batch_norm") and _differ(hyperparams.batch_norm.decay, decay):
        problem = f"The decay of batch_norm is {hyperparams.batch_norm.decay:g}, but {decay:g} in the base network."
        yield Evidence(f"{path}.batch_norm.decay", problem, _OVERRIDE, fix)


_OVERRIDE = "Set override_base_feature_extractor_hyperparams to true to use it everywhere."


def _differ(one: float, other: float) -> bool:
    return abs(one - other) > 1e-6 * abs(other)
