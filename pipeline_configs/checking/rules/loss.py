"""Rules about the parts that make up an SSD's loss: matcher, box coder, losses, hard example miner."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline_configs.checking.rule import Evidence, Subject, rule
from pipeline_configs.patches.patch import Edit

# What an SSD is built of: the message, and the choice in it that must be made.
_PARTS = (
    ("image_resizer", "image_resizer_oneof"),
    ("box_coder", "box_coder_oneof"),
    ("matcher", "matcher_oneof"),
    ("similarity_calculator", "region_similarity"),
    ("anchor_generator", "anchor_generator_oneof"),
    ("box_predictor", "box_predictor_oneof"),
    ("loss.classification_loss", "classification_loss"),
    ("loss.localization_loss", "localization_loss"),
)


@rule(
    "CFG08",
    "error",
    "The engine stops when it builds the model.",
    source="builders/model_builder.py",
    architecture="ssd",
)
def missing_part(subject: Subject) -> Iterator[Evidence]:
    """A part without which no SSD can be built is missing.

    The engine has no default for the resizer, box coder, matcher, similarity, anchors, box predictor and the two
    losses: one branch of each has to be written, if only as an empty message.
    """
    for path, choice in _PARTS:
        message = subject.model
        for name in path.split("."):
            message = getattr(message, name)
        if message.WhichOneof(choice) is None:
            branches = [field.name for field in message.DESCRIPTOR.oneofs_by_name[choice].fields]
            yield Evidence(f"{subject.model_path}.{path}", "nothing", f"one of {', '.join(branches)}")


@rule(
    "CFG07",
    "error",
    "The engine stops when it builds the loss.",
    source="builders/losses_builder.py",
    architecture="ssd",
)
def miner_with_focal_loss(subject: Subject) -> Iterator[Evidence]:
    """A hard example miner stands beside the focal loss.

    Both decide which negatives count: the miner keeps the worst of them, the focal loss weighs all of them down by how
    easy they are. The engine refuses the pair.
    """
    loss = subject.model.loss
    if loss.HasField("hard_example_miner") and loss.classification_loss.HasField("weighted_sigmoid_focal"):
        path = f"{subject.model_path}.loss.hard_example_miner"
        yield Evidence(
            path, "hard_example_miner beside weighted_sigmoid_focal", "one of the two", (Edit(path=path, value=None),)
        )


@rule(
    "CFG26",
    "warning",
    "The loss of the first steps is huge, and may end as not a number.",
    source="predictors/heads",
    architecture="ssd",
)
def focal_loss_without_bias(subject: Subject) -> Iterator[Evidence]:
    """The focal loss is used, but class predictions start at a probability of one half.

    Almost all of the many thousand anchors are background. A start at log(0.01 / 0.99), about -4.6, lets them begin
    near a probability of 0.01 (Lin et al. 2017, section 4.1), as the published configs do.
    """
    if not subject.model.loss.classification_loss.HasField("weighted_sigmoid_focal"):
        return
    kind = subject.model.box_predictor.WhichOneof("box_predictor_oneof")
    predictor = getattr(subject.model.box_predictor, kind) if kind else None
    if predictor is None or "class_prediction_bias_init" not in predictor.DESCRIPTOR.fields_by_name:
        return
    if predictor.class_prediction_bias_init > -1:
        path = f"{subject.model_path}.box_predictor.{kind}.class_prediction_bias_init"
        found = f"{predictor.class_prediction_bias_init:g}"
        yield Evidence(path, found, "about -4.6", (Edit(path=path, value="-4.6"),))


@rule(
    "CFG09",
    "error",
    "The engine stops when it builds the matcher.",
    source="builders/matcher_builder.py",
    style="tf2",
    architecture="ssd",
)
def bipartite_matcher(subject: Subject) -> Iterator[Evidence]:
    """The bipartite matcher exists in TF1 style only.

    The argmax matcher with a threshold and force_match_for_each_row gives each object its best anchor too.
    """
    if subject.model.matcher.HasField("bipartite_matcher"):
        path = f"{subject.model_path}.matcher"
        argmax = (
            "{argmax_matcher {matched_threshold: 0.5 unmatched_threshold: 0.5 force_match_for_each_row: true"
            " negatives_lower_than_unmatched: true}}"
        )
        yield Evidence(
            f"{path}.bipartite_matcher", "bipartite_matcher", "argmax_matcher", (Edit(path=path, value=argmax),)
        )


@rule(
    "CFG10",
    "error",
    "The engine stops when it builds the matcher.",
    source="matchers/argmax_matcher.py",
    architecture="ssd",
)
def impossible_thresholds(subject: Subject) -> Iterator[Evidence]:
    """The thresholds of the argmax matcher leave no room for what lies between them.

    An anchor is positive from matched_threshold on. Negatives are those below unmatched_threshold, or, where
    negatives_lower_than_unmatched is false, those between the two, which then have to differ.
    """
    matcher = subject.model.matcher.argmax_matcher
    path = f"{subject.model_path}.matcher.argmax_matcher"
    if not subject.model.matcher.HasField("argmax_matcher") or matcher.ignore_thresholds:
        return
    matched, unmatched = f"{matcher.matched_threshold:g}", f"{matcher.unmatched_threshold:g}"
    if matcher.unmatched_threshold > matcher.matched_threshold:
        yield Evidence(f"{path}.unmatched_threshold", unmatched, f"at most {matched}, the matched_threshold",
                       (Edit(path=f"{path}.unmatched_threshold", value=matched),))  # fmt: skip
    elif matcher.unmatched_threshold == matcher.matched_threshold and not matcher.negatives_lower_than_unmatched:
        path = f"{path}.negatives_lower_than_unmatched"
        yield Evidence(path, f"false, with both thresholds at {matched}", "true, or an unmatched_threshold below it",
                       (Edit(path=path, value="true"),))  # fmt: skip


@rule(
    "CFG11",
    "warning",
    "Such objects are trained as background.",
    source="matchers/argmax_matcher.py",
    architecture="ssd",
)
def objects_without_anchor(subject: Subject) -> Iterator[Evidence]:
    """Objects that no anchor overlaps well enough have no positive anchor.

    With force_match_for_each_row each object has its best anchor, however small their overlap. The default is false;
    the published configs set true.
    """
    matcher = subject.model.matcher
    if matcher.HasField("argmax_matcher") and not matcher.argmax_matcher.force_match_for_each_row:
        path = f"{subject.model_path}.matcher.argmax_matcher.force_match_for_each_row"
        yield Evidence(path, "false", "true", (Edit(path=path, value="true"),))
