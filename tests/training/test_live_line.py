"""The live line of a training run: what it says, and in which order."""

import pytest

from tfod_tools.training import live_line


def progress(*names: str, loss: float | None = 0.1234) -> dict[str, object]:
    """A late event of a long run with losses of these names and a total."""
    losses = {f"Loss/{name}_loss": value for value, name in enumerate(names)} | {"Loss/total_loss": loss}
    return {"event": "progress", "step": 123456, "losses": losses, "learning_rate": 0.000123}


SSD = ("localization", "classification", "regularization")
FASTER_RCNN = (
    "RPNLoss/localization",
    "RPNLoss/objectness",
    "BoxClassifierLoss/localization",
    "BoxClassifierLoss/classification",
)
SPEED = "  87.6 images/s  12:34:56 left"


@pytest.mark.parametrize("names", [SSD, FASTER_RCNN])
def test_the_live_line_on_eighty_columns(names: tuple[str, ...]) -> None:
    """What tells whether all goes well, and how long to wait, is not cut off."""
    assert live_line.text(progress(*names), 200000, SPEED)[:79].startswith(
        "step 123456/200000  loss 0.123  lr 0.000123  87.6 images/s  12:34:56 left  "
    )


def test_the_live_line_before_the_speed_is_known() -> None:
    assert live_line.text(progress(*SSD), 200000, "") == (
        "step 123456/200000  loss 0.123  lr 0.000123  (localization 0, classification 1, regularization 2)"
    )


def test_the_losses_of_two_stages_have_names_of_their_own() -> None:
    assert live_line.text(progress(*FASTER_RCNN), 200000, SPEED).endswith(
        "  (RPN localization 0, RPN objectness 1, BoxClassifier localization 2, BoxClassifier classification 3)"
    )


def test_a_loss_that_is_not_a_number() -> None:
    assert "  loss not a number  " in live_line.text(progress(*SSD, loss=None), 200000, SPEED)
