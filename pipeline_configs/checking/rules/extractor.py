"""Rules about the feature extractor and what its type takes."""

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
    """No feature extractor has the type's name.

    The engine has one list of types for each architecture and style; those that end in _keras, and CenterNet's, are of
    TF2 style. A type of your own needs --extension.
    """
    if not subject.architecture:
        yield Evidence("model", subject.config.model.WhichOneof("model") or "nothing", "ssd, faster_rcnn or center_net")
    elif subject.style is None and not _elsewhere(subject.extractor):
        path = f"{subject.model_path}.feature_extractor.type"
        yield Evidence(path, f"'{subject.extractor}'", f"a type of {subject.architecture}. {_hint(subject)}")


@rule("CFG02", "error", "The engine stops when it builds the model.", source=_BUILDER)
def extractor_of_another_architecture(subject: Subject) -> Iterator[Evidence]:
    """The feature extractor belongs to another architecture.

    A feature extractor of Faster R-CNN ends where proposals begin, one of SSD has layers of its own on top; neither
    takes the other's place.
    """
    if subject.architecture and subject.style is None and (other := _elsewhere(subject.extractor)):
        path = f"{subject.model_path}.feature_extractor.type"
        found = f"'{subject.extractor}', which is of {other}"
        yield Evidence(path, found, f"a type of {subject.architecture}. {_hint(subject)}")


def _hint(subject: Subject) -> str:
    """The types that may have been meant, or where to find some: there are too many to list."""
    hint = plugins.suggestion(subject.extractor, extractors.known()[subject.architecture])
    return hint if hint.startswith("Did you mean") else "The templates of make_config --list have some."


def _elsewhere(extractor: str) -> str:
    """The architecture that has this type; "" where none does."""
    return next((name for name, types in extractors.known().items() if extractor in types), "")


@rule("CFG13", "error", "The engine stops: the extractor gets a keyword that it does not take.", source=_BUILDER)
def field_of_another_extractor(subject: Subject) -> Iterator[Evidence]:
    """A field of the feature extractor is set that its type does not take.

    The engine hands num_layers, fpn, bifpn and spaghettinet_arch_name to the extractor's class as soon as they are
    set. num_layers is for extractors without a feature pyramid, fpn and bifpn for those with that one.
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
            yield Evidence(path, f"{name} for {extractor}", "no such field", (Edit(path=path, value=None),))


@rule(
    "CFG14",
    "error",
    "The engine stops when it builds the extractor.",
    source="models/ssd_efficientnet_bifpn_feature_extractor.py",
    architecture="ssd",
)
def efficientdet_changed(subject: Subject) -> Iterator[Evidence]:
    """EfficientDet is asked for a width, padding or convolutions that it does not have.

    Its size is chosen by the type, from b0 to b7, and by bifpn; depth_multiplier, use_explicit_padding and
    use_depthwise belong to other networks.
    """
    message = subject.model.feature_extractor
    if extractors.of(subject.extractor).pyramid != "bifpn":
        return
    for name, default in (("depth_multiplier", 1.0), ("use_explicit_padding", False), ("use_depthwise", False)):
        if getattr(message, name) != default:
            path = f"{subject.model_path}.feature_extractor.{name}"
            yield Evidence(
                path, f"{getattr(message, name)}".lower(), f"{default}".lower(), (Edit(path=path, value=None),)
            )


@rule(
    "CFG41",
    "error",
    "The engine stops when it builds the extractor.",
    source="models/ssd_inception_v2_feature_extractor.py",
    architecture="ssd",
)
def inception_without_override(subject: Subject) -> Iterator[Evidence]:
    """An SSD with Inception keeps conv_hyperparams from its base network.

    These extractors make all of their layers with conv_hyperparams, and insist that the config says so.
    """
    message = subject.model.feature_extractor
    if extractors.of(subject.extractor).needs_override and not message.override_base_feature_extractor_hyperparams:
        path = f"{subject.model_path}.feature_extractor.override_base_feature_extractor_hyperparams"
        yield Evidence(path, "false", "true", (Edit(path=path, value="true"),))


@rule("CFG15", "error", "The engine stops at the first image.", source="utils/shape_utils.py", architecture="ssd")
def small_input(subject: Subject) -> Iterator[Evidence]:
    """Images are resized to fewer pixels than the network can halve.

    SSD extractors refuse less than 33 pixels a side, EfficientDet less than 129, and the embedded MobileNet takes
    exactly 256 x 256.
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
    found = " x ".join(map(str, sides))
    kind = extractors.of(subject.extractor)
    if kind.input_side:
        if sides != [kind.input_side] * 2:
            yield Evidence(path, found, f"{kind.input_side} x {kind.input_side} with fixed_shape_resizer")
    elif min(sides) < kind.least_side and extractors.is_engines("ssd", subject.extractor):
        yield Evidence(path, found, f"at least {kind.least_side} pixels a side")


@rule("CFG19", "warning", "The engine ignores it.", source="builders/hyperparams_builder.py", style="tf2")
def ignored_normalisation(subject: Subject) -> Iterator[Evidence]:
    """Group normalisation, or batch normalisation that is not to be trained, is asked for in TF2 style.

    The Keras layers know neither. With group_norm there is no normalisation at all; batch_norm.train has no effect, use
    freeze_batchnorm of the model.
    """
    for path, hyperparams in nested.messages(subject.config.model, "Hyperparams", "model"):
        if hyperparams.HasField("group_norm"):
            yield Evidence(f"{path}.group_norm", "group_norm", "batch_norm")
        if hyperparams.HasField("batch_norm") and not hyperparams.batch_norm.train:
            yield Evidence(f"{path}.batch_norm.train", "false", "freeze_batchnorm in its place")


@rule(
    "CFG20",
    "error",
    "The engine stops when it builds the layers.",
    source="builders/hyperparams_builder.py",
    style="tf1",
)
def keras_only_hyperparams(subject: Subject) -> Iterator[Evidence]:
    """A setting of layers is used that exists in TF2 style only.

    These are force_use_bias, sync_batch_norm and keras_initializer_by_name.
    """
    for path, hyperparams in nested.messages(subject.config.model, "Hyperparams", "model"):
        if hyperparams.force_use_bias:
            path_ = f"{path}.force_use_bias"
            yield Evidence(path_, "true", "false in TF1 style", (Edit(path=path_, value=None),))
        if hyperparams.HasField("sync_batch_norm"):
            yield Evidence(f"{path}.sync_batch_norm", "sync_batch_norm", "batch_norm in TF1 style")
        if hyperparams.initializer.HasField("keras_initializer_by_name"):
            name = "keras_initializer_by_name"
            yield Evidence(f"{path}.initializer.{name}", name, "another initializer in TF1 style")


@rule("CFG40", "warning", "The base network keeps its built-in values.", source="models/", architecture="ssd")
def base_network_keeps_its_own(subject: Subject) -> Iterator[Evidence]:
    """Regularisation or batch normalisation is set, but does not reach the base network.

    conv_hyperparams of the extractor are for the layers that SSD adds, unless
    override_base_feature_extractor_hyperparams is true. A MobileNet keeps an l2 weight of 0.00004 and a batch-norm
    decay of 0.9997, a ResNet 0.0001 and 0.997. In short runs from scratch that decay alone can ruin the result: the
    averages that evaluation uses are still those of the start. Weights from a checkpoint were trained that way; with
    one this rule is silent.
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
        found = f"{regularizer.l2_regularizer.weight:g}, while the base network has {weight:g}"
        yield Evidence(f"{path}.regularizer.l2_regularizer.weight", found, _OVERRIDE, fix)
    if hyperparams.HasField("batch_norm") and _differ(hyperparams.batch_norm.decay, decay):
        found = f"{hyperparams.batch_norm.decay:g}, while the base network has {decay:g}"
        yield Evidence(f"{path}.batch_norm.decay", found, _OVERRIDE, fix)


_OVERRIDE = "override_base_feature_extractor_hyperparams: true"


def _differ(one: float, other: float) -> bool:
    return abs(one - other) > 1e-6 * abs(other)
