"""What decides whether objects can be learned comes before how, and that before what measures it."""

from __future__ import annotations

from pipeline_configs.patches import importance

ORDER = [
    "",
    "model.ssd.anchor_generator.ssd_anchor_generator.min_scale",
    "train_config.optimizer.rms_prop_optimizer.learning_rate.exponential_decay_learning_rate.decay_steps",
    "train_config.fine_tune_checkpoint",
    "model.ssd.loss.hard_example_miner",
    "train_config.data_augmentation_options[0]",
    "model.ssd.feature_extractor.conv_hyperparams.regularizer.l2_regularizer.weight",
    "train_input_reader.shuffle",
    "eval_config.num_examples",
    "train_config.sync_replicas",
]


def test_the_order() -> None:
    ranks = [importance.rank(path) for path in ORDER]
    assert ranks == sorted(ranks)
    assert len(set(ranks)) == len(ranks)


def test_inputs_are_needed_for_evaluation_too() -> None:
    inputs = "eval_input_reader[0].tf_record_input_reader.input_path"
    assert importance.rank(inputs) == importance.rank("train_input_reader.label_map_path") == 0
    assert importance.rank("eval_config.batch_size") == importance.rank("eval_config.num_examples")
