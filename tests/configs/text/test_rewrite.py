"""A changed text means what it should, and keeps what was not changed."""

from __future__ import annotations

import difflib

import pytest
from configs.strategies import configs, texts
from hypothesis import HealthCheck, given, settings

from pipeline_configs.making import template
from pipeline_configs.patches.patch import ConfigPatch, Edit
from pipeline_configs.text import rewrite, schema
from pipeline_configs.text.text_proto import Config

# Templates of other architectures.
UNLIKE = ("faster_rcnn_resnet50", "ssd_mobilenet_v2_300x300", "centernet_resnet50_v2_512x512_kpts_keras")
TEXT = """# My own config.
model {
  ssd {  # the model
    num_classes: 90  # of COCO
    anchor_generator { ssd_anchor_generator { num_layers: 6 aspect_ratios: [1.0, 2.0] } }
    # Nothing else.
  }
}
train_config: {
  batch_size: 24, num_steps: 5;
  # Augmentation.
  data_augmentation_options {
    random_horizontal_flip { }
  }
  data_augmentation_options { ssd_random_crop { } }  # crops
}
"""


def rewritten(*edits: tuple[str, str | None]) -> str:
    patch = ConfigPatch(edits=tuple(Edit(path=path, value=value) for path, value in edits))
    found = rewrite.rewritten(TEXT, patch.apply(schema.parse(TEXT)))
    assert found is not None
    return found


def lines_changed(after: str) -> list[str]:
    lines = difflib.ndiff(TEXT.splitlines(), after.splitlines())
    return [line.rstrip() for line in lines if line[0] in "+-"]


ANCHORS = "    anchor_generator { ssd_anchor_generator { num_layers: 6 aspect_ratios: [1.0, 2.0] } }"
RATIOS = "model.ssd.anchor_generator.ssd_anchor_generator.aspect_ratios"
STEPS = "train_config.data_augmentation_options"


@pytest.mark.parametrize(
    ("path", "value", "changed"),
    [
        ("train_config.batch_size", "24", []),
        ("model.ssd.num_classes", "2", ["-     num_classes: 90  # of COCO", "+     num_classes: 2  # of COCO"]),
        ("model.ssd.num_classes", None, ["-     num_classes: 90  # of COCO", "+     # of COCO"]),
        ("train_config.batch_size", None, ["-   batch_size: 24, num_steps: 5;", "+    num_steps: 5;"]),
        ("train_config.num_steps", "9", ["-   batch_size: 24, num_steps: 5;", "+   batch_size: 24, num_steps: 9;"]),
        ("train_config.sync_replicas", "true", ["+   sync_replicas: true"]),
        ("model.ssd.freeze_batchnorm", "true", ["+     freeze_batchnorm: true"]),
        (
            "model.ssd.anchor_generator.ssd_anchor_generator.min_scale",
            "0.1",
            [f"- {ANCHORS}".rstrip(), f"+ {ANCHORS.replace('} }', 'min_scale: 0.1 } }')}"],
        ),
        (RATIOS, "1, 3", [f"- {ANCHORS}", f"+ {ANCHORS.replace('2.0', '3.0')}"]),
        (RATIOS, "1, 2, 3", [f"- {ANCHORS}", f"+ {ANCHORS.replace('2.0', '2.0, 3.0')}"]),
        (RATIOS, "[]", [f"- {ANCHORS}", f"+ {ANCHORS.replace('aspect_ratios: [1.0, 2.0] ', '')}"]),
        (
            STEPS,
            "[{ssd_random_crop {}}]",
            ["-   data_augmentation_options {", "-     random_horizontal_flip { }", "-   }"],
        ),
        (f"{STEPS}[2]", "{}", ["+   data_augmentation_options {", "+   }"]),
        (
            f"{STEPS}[1].ssd_random_crop.operations[0].min_area",
            "0.5",
            [
                "-   data_augmentation_options { ssd_random_crop { } }  # crops",
                "+   data_augmentation_options { ssd_random_crop { operations { min_area: 0.5 } } }  # crops",
            ],
        ),
        ("eval_config.batch_size", "1", ["+ eval_config {", "+   batch_size: 1", "+ }"]),
    ],
)
def test_only_what_has_to_be_is_changed(path: str, value: str | None, changed: list[str]) -> None:
    assert sorted(lines_changed(rewritten((path, value)))) == sorted(changed)


def test_another_branch_of_a_choice() -> None:
    after = rewritten(("model.ssd.anchor_generator", "{multiscale_anchor_generator {}}"))
    assert "# Nothing else." in after
    assert "ssd_anchor_generator" not in after


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(texts(), configs())
def test_the_text_means_what_it_should_or_is_given_up(case: tuple[Config, str], target: Config) -> None:
    text = case[1]
    found = rewrite.rewritten(text, target)
    assert found is None or schema.parse(found) == target
    assert rewrite.rewritten(text, case[0]) in (text, None)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(configs(), configs())
def test_a_usual_layout_is_never_given_up(before: Config, target: Config) -> None:
    found = rewrite.rewritten(schema.dump(before), target)
    assert found is not None
    assert schema.parse(found) == target


@pytest.mark.parametrize("name", template.names())
def test_a_template_becomes_another(name: str) -> None:
    text, names = template.text(name), template.names()
    # The one before is much alike.
    for other in (name, names[names.index(name) - 1], *UNLIKE):
        found = rewrite.rewritten(text, template.read(other))
        assert found is not None
        assert schema.parse(found) == template.read(other)
        assert (found == text) == (name == other)
        assert found.splitlines()[0] == text.splitlines()[0]


def test_a_map() -> None:
    text = 'eval_config {\n  super_categories { key: "a" value: "b" }  # mine\n}\n'
    target = schema.parse('eval_config { super_categories { key: "a" value: "c" } }')
    found = rewrite.rewritten(text, target)
    assert found is not None
    assert schema.parse(found) == target


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("train_config { gradient_clipping_by_norm: 0.0 }", "train_config { gradient_clipping_by_norm: -0.0 }"),
        (
            "eval_input_reader { sample_from_datasets_weights: [0.0, 1.0] }",
            "eval_input_reader { sample_from_datasets_weights: -0.0 }",
        ),
        ("", 'train_input_reader { name: "a\u0085b\u2028c" }'),
        ("train_config { num_steps: 1 } train_config { num_steps: 2 }", "train_config { }"),
        ('eval_config { super_categories { key: "a" } super_categories { key: "a" value: "b" } }', "eval_config { }"),
    ],
)
def test_values_that_are_nearly_the_same_and_odd_ones(before: str, after: str) -> None:
    found = rewrite.rewritten(before, schema.parse(after))
    assert found is not None
    assert schema.dump(schema.parse(found)) == schema.dump(schema.parse(after))
