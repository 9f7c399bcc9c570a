"""What is told of the weights that the engine would restore."""

from __future__ import annotations

from pipeline_configs.checkpoints.restoration import Restoration, groups


def test_what_is_told_of_a_restoration() -> None:
    said = Restoration(
        restored=("a/x", "a/y", "a/z"),
        missing=("a/b/c/d", "a/b/c/e"),
        other_shape={"head/kernel": ((3, 15), (3, 18))},
        others=4,
    )
    assert list(said.lines()) == [
        "3 of the 6 weights that the engine looks for would be restored; it does not look for 4 more of the model.",
        "  not in the checkpoint: 1 a/b/c/d",
        "  not in the checkpoint: 1 a/b/c/e",
        "  of another shape: 1 head/kernel, such as [3, 15] that is [3, 18] in the model",
    ]
    assert said.share == 0.5


def test_groups_are_as_long_as_eight_of_them_can_be() -> None:
    names = [f"model/layer-{i}/{part}" for i in range(4) for part in ("kernel", "bias", "gamma")]
    assert groups(names) == [(f"model/layer-{i}", 3) for i in range(4)]
    assert groups([f"model/{i}" for i in range(9)]) == [("model", 9)]
    assert groups([]) == []
