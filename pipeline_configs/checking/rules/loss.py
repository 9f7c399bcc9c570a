"""Rules about the parts that an SSD must have, and about its matcher, losses and hard example miner."""

from __future__ import annotations

import math
from collections.abc import Iterator

from pipeline_configs.checking.rule import Evidence, Subject, rule
from pipeline_configs.patches.patch import Edit

# The parts that an SSD must have: the message, and the choice in it that must be made.
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
    """A part that every SSD needs is missing.

    The engine has no default for the image resizer, the box coder, the matcher, the similarity calculator, the anchor
    generator, the box predictor and the two losses. The config must name one kind of each, if only as an empty message.
    """
    for path, choice in _PARTS:
        message = subject.model
        for name in path.split("."):
            message = getattr(message, name)
        if message.WhichOneof(choice) is None:
            branches = [field.name for field in message.DESCRIPTOR.oneofs_by_name[choice].fields]
            problem = f"The {path.rpartition('.')[2].replace('_', ' ')} is missing."
            yield Evidence(f"{subject.model_path}.{path}", problem, f"Set one of {', '.join(branches)}.")


@rule(
    "CFG07",
    "error",
    "The engine refuses this pair when it builds the loss, and stops.",
    source="builders/losses_builder.py",
    architecture="ssd",
)
def miner_with_focal_loss(subject: Subject) -> Iterator[Evidence]:
    """A hard example miner is used together with the focal loss.

    Both decide how much a negative example counts. The miner keeps only the hardest ones, and the focal loss gives easy
    ones a small weight. The engine refuses the pair.
    """
    loss = subject.model.loss
    if loss.HasField("hard_example_miner") and loss.classification_loss.HasField("weighted_sigmoid_focal"):
        path = f"{subject.model_path}.loss.hard_example_miner"
        problem = "hard_example_miner and weighted_sigmoid_focal are both set."
        yield Evidence(path, problem, "Keep only one of them.", (Edit(path=path, value=None),))


@rule(
    "CFG26",
    "warning",
    "The loss of the first steps is very large, and may become NaN (not a number).",
    source="predictors/heads",
    architecture="ssd",
)
def focal_loss_without_bias(subject: Subject) -> Iterator[Evidence]:
    """The focal loss is used, but training starts with a high probability for every class.

    Almost all of the many thousand anchors are background. With a bias of log(0.01 / 0.99), about -4.6, every class
    starts with a probability near 0.01 (Lin et al. 2017, section 4.1), as in the published configs.
    """
    if not subject.model.loss.classification_loss.HasField("weighted_sigmoid_focal"):
        return
    kind = subject.model.box_predictor.WhichOneof("box_predictor_oneof")
    predictor = getattr(subject.model.box_predictor, kind) if kind else None
    if predictor is None or "class_prediction_bias_init" not in predictor.DESCRIPTOR.fields_by_name:
        return
    if predictor.class_prediction_bias_init > -1:
        path = f"{subject.model_path}.box_predictor.{kind}.class_prediction_bias_init"
        bias = predictor.class_prediction_bias_init
        problem = f"The bias is {bias:g}, so every class starts with a probability of {1 / (1 + math.exp(-bias)):.2g}."
        advice = "Set it to about -4.6, which is a probability of 0.01."
        yield Evidence(path, problem, advice, (Edit(path=path, value="-4.6"),))


@rule(
    "CFG09",
    "error",
    "In TF2 style the engine does not have it, and stops when it builds the matcher.",
    source="builders/matcher_builder.py",
    style="tf2",
    architecture="ssd",
)
def bipartite_matcher(subject: Subject) -> Iterator[Evidence]:
    """The bipartite matcher exists in TF1 style only.

    The argmax matcher with a threshold and force_match_for_each_row also gives each object its best anchor.
    """
    if subject.model.matcher.HasField("bipartite_matcher"):
        path = f"{subject.model_path}.matcher"
        argmax = (
            "{argmax_matcher {matched_threshold: 0.5 unmatched_threshold: 0.5 force_match_for_each_row: true"
            " negatives_lower_than_unmatched: true}}"
        )
        problem = "The matcher is bipartite_matcher, but the config is of TF2 style."
        yield Evidence(f"{path}.bipartite_matcher", problem, "Use argmax_matcher.", (Edit(path=path, value=argmax),))


@rule(
    "CFG10",
    "error",
    "The engine stops when it builds the matcher.",
    source="matchers/argmax_matcher.py",
    architecture="ssd",
)
def impossible_thresholds(subject: Subject) -> Iterator[Evidence]:
    """The thresholds of the argmax matcher contradict each other.

    An anchor is positive if its overlap is at least matched_threshold. It is negative if its overlap is below
    unmatched_threshold. If negatives_lower_than_unmatched is false, an anchor is negative if its overlap is between the
    two thresholds, so they must differ.
    """
    matcher = subject.model.matcher.argmax_matcher
    path = f"{subject.model_path}.matcher.argmax_matcher"
    if not subject.model.matcher.HasField("argmax_matcher") or matcher.ignore_thresholds:
        return
    matched, unmatched = f"{matcher.matched_threshold:g}", f"{matcher.unmatched_threshold:g}"
    if matcher.unmatched_threshold > matcher.matched_threshold:
        path = f"{path}.unmatched_threshold"
        problem = f"unmatched_threshold is {unmatched}, above matched_threshold, which is {matched}."
        yield Evidence(path, problem, f"Set it to {matched} or less.", (Edit(path=path, value=matched),))
    elif matcher.unmatched_threshold == matcher.matched_threshold and not matcher.negatives_lower_than_unmatched:
        path = f"{path}.negatives_lower_than_unmatched"
        problem = f"This is false, so negatives lie between the two thresholds, but both thresholds are {matched}."
        advice = f"Set it to true, or set unmatched_threshold below {matched}."
        yield Evidence(path, problem, advice, (Edit(path=path, value="true"),))


@rule(
    "CFG11",
    "warning",
    "The engine trains an object as background if no anchor overlaps it by matched_threshold or more.",
    source="matchers/argmax_matcher.py",
    architecture="ssd",
)
def objects_without_anchor(subject: Subject) -> Iterator[Evidence]:
    """Objects that no anchor overlaps well enough get no positive anchor.

    With force_match_for_each_row each object gets its best anchor, however small the overlap. The default is false; the
    published configs set true.
    """
    matcher = subject.model.matcher
    if matcher.HasField("argmax_matcher") and not matcher.argmax_matcher.force_match_for_each_row:
        path = f"{subject.model_path}.matcher.argmax_matcher.force_match_for_each_row"
        problem = "force_match_for_each_row is false."
        yield Evidence(path, problem, "Set it to true, as the published configs do.", (Edit(path=path, value="true"),))
