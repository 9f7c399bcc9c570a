"""Entry: checks whether a style of the engine works here, and which shims it needs.

    python -m tfod_tools.engine.probe --style=tf1

For each shim in order, sends `shim` (name, needed_on, reason: null if it is not needed). Then sends `result` (engine:
its folder). A style works if the modules that build, train and export a model can be imported.
"""

import importlib

from absl import flags

from tfod_tools.engine import channel, shims

FLAGS = flags.FlagValues()
_STYLE = flags.DEFINE_enum("style", None, ["tf1", "tf2"], "TF1 or TF2 style.", required=True, flag_values=FLAGS)

_MODULES = {
    "tf1": ("builders.model_builder", "model_lib", "exporter"),
    "tf2": ("builders.model_builder", "model_lib_v2", "exporter_lib_v2"),
}


def main(events: channel.Channel) -> None:
    """Applies the shims one by one, and imports what a training run imports."""
    for name, reason in shims.applying(_STYLE.value):
        events.send("shim", name=name, needed_on=shims.load(name).NEEDED_ON, reason=reason)
    for name in _MODULES[_STYLE.value]:
        importlib.import_module(f"object_detection.{name}")
    engine = importlib.import_module("object_detection")
    events.send("result", engine=next(iter(engine.__path__)))


if __name__ == "__main__":
    channel.serve(main, FLAGS)
