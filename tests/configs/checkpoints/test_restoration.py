"""The text about the weights that the engine would restore."""

from __future__ import annotations

from pipeline_configs.checkpoints.restoration import Restoration, _groups


def test_the_lines_of_a_restoration() -> None:
    said = Restoration(
        restored=("a/x", "a/y", "a/z"),
        missing=("a/b/c/d", "a/b/c/e"),
        other_shape={"head/kernel": ((3, 15), (3, 18))},
        others=4,
    )
    assert list(said.lines()) == [
        "The engine would restore 3 of the 6 weights that it looks for.",
        "Other weights of the model, which start from random values: 4.",
        "  not in the checkpoint: a/b/c/d (1 weight)",
        "  not in the checkpoint: a/b/c/e (1 weight)",
        "  in another shape: head/kernel (1 weight), for example [3, 15] in the checkpoint and [3, 18] in the model",
    ]
    assert said.share == 0.5


def test_groups_are_as_long_as_eight_of_them_can_be() -> None:
    names = [f"model/layer-{i}/{part}" for i in range(4) for part in ("kernel", "bias", "gamma")]
    assert _groups(names) == [(f"model/layer-{i}", 3) for i in range(4)]
    assert _groups([f"model/{i}" for i in range(9)]) == [("model", 9)]
    assert _groups([]) == []
