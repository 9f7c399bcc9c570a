"""An order of fields by importance, for findings and for differences: what decides most of a run comes first."""

from __future__ import annotations

# Parts of paths: first what can be learned at all, then how it is learned, at last what only measures it.
_TOPICS = (
    ("num_classes", "label_map_path", "tf_record_input_reader", "feature_extractor.type"),
    ("anchor_generator", "image_resizer", "matcher", "similarity_calculator"),
    ("learning_rate", "optimizer", "num_steps", "train_config.batch_size", "gradient_clipping_by_norm"),
    ("fine_tune_checkpoint", "from_detection_checkpoint", "load_all_detection_checkpoint_vars"),
    ("loss", "hard_example_miner", "sampler", "_balance", "score_converter"),
    ("data_augmentation_options",),
    ("model.",),
    ("train_input_reader",),
    ("eval_",),
)


def rank(path: str) -> int:
    """The place of a field in this order, from 0 for the most important fields. "" is the whole config."""
    if path.startswith("eval_") and "tf_record_input_reader" not in path and "label_map_path" not in path:
        return len(_TOPICS) - 1
    found = (place for place, parts in enumerate(_TOPICS) if any(part in path for part in parts))
    return next(found, len(_TOPICS)) if path else 0
