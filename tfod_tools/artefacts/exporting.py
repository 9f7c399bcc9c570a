"""Makes the folder of an exported model from a checkpoint: planned here, written by the engine."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline_configs import extension
from tfod_tools.artefacts import folder
from tfod_tools.base import engine_process, plugins, progress
from tfod_tools.base.errors import LabelMapError, OutputError, UsageError

FORMATS = ("frozen_graph", "saved_model")
LOG = "export.log"


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """What is to be exported.

    Attributes:
      argv: the engine's entry and its flags, without `python -m`. It writes to `partial`.
      label_map: the label map of the config.
      log: file to which the engine's log is appended.
      output: the folder to make.
      overwrite: whether an earlier export in `output` may be replaced.
    """

    argv: tuple[str, ...]
    label_map: Path
    log: Path
    output: Path
    overwrite: bool = False

    @property
    def partial(self) -> Path:
        """The folder that becomes `output` when it is complete."""
        return _partial(self.output)


def plan(
    model_dir: Path,
    output: Path,
    formats: Sequence[str],
    *,
    config: Path | None = None,
    checkpoint: str | None = None,
    own: str | None = None,
    overwrite: bool = False,
) -> Export:
    """Checks what can be checked without TensorFlow.

    Args:
      model_dir: folder of a training run.
      output: the folder to make.
      formats: which of `FORMATS` to write.
      config: the pipeline.config; None for the one in `model_dir`.
      checkpoint: prefix of a checkpoint; None for the latest.
      own: file or module with the user's own feature extractor; None if there is none.
      overwrite: whether an earlier export in `output` may be replaced.

    Raises:
      UsageError: a format is unknown.
      OutputError: `output` exists, and must not be replaced or was not made by export.
      ConfigError: the config cannot be read, or names no label map.
      LabelMapError: the config's label map is missing.
    """
    from pipeline_configs import extractors, inputs, run_folder

    for name in formats or [""]:
        if name not in FORMATS:
            raise UsageError(f"--format: there is no '{name}'. {plugins.suggestion(name, FORMATS)}")
    check_free(output, overwrite=overwrite)
    path, pipeline = run_folder.config(model_dir, config)
    label_map = inputs.label_map_path(pipeline, path)
    if not label_map.is_file():
        raise LabelMapError("the config names this label map, but the file is missing.", path=label_map)
    argv = (
        *("tfod_tools.engine.export", f"--style={extractors.style_of(pipeline, own)}", f"--config={path}"),
        *(f"--model_dir={model_dir}", f"--output={_partial(output)}", f"--format={','.join(formats)}"),
        *extension.flags(own),
        *([f"--checkpoint={checkpoint}"] if checkpoint else []),
    )
    return Export(argv=argv, label_map=label_map, log=model_dir / LOG, output=output, overwrite=overwrite)


def check_free(output: Path, *, overwrite: bool) -> None:
    """Makes sure that an export may take the name `output`.

    Raises:
      OutputError: something is there that must not be replaced.
    """
    if not os.path.lexists(output):
        return
    if not output.is_dir() or output.is_symlink():
        raise OutputError("is a file or a link, but --output must name a folder. Name another --output.", path=output)
    if not any(output.iterdir()):
        return
    if not overwrite:
        raise OutputError("is there already. Name another --output, or add --overwrite to replace it.", path=output)
    foreign = folder.foreign_file(output)
    if foreign:
        raise OutputError(
            f"is not replaced, because export did not write its file {foreign.relative_to(output)}. Name another"
            " --output.",
            path=output,
        )


def run(export: Export) -> engine_process.Event:
    """Runs the export in a child process, then gives the complete folder its name. Returns step and checkpoint.

    An earlier export in its place is removed only then.

    Raises:
      CheckpointError: there is no checkpoint with weights.
      EngineError: the engine stopped with an error.
      OutputError: something else came to `output` in the meantime. It stays there.
    """
    shutil.rmtree(export.partial, ignore_errors=True)
    export.partial.mkdir(parents=True)
    try:
        with progress.line() as show:
            show("exporting ...")
            result = engine_process.run(export.argv, log=export.log)
        shutil.copyfile(export.label_map, export.partial / folder.LABEL_MAP)
        put_in_place(export.partial, export.output, overwrite=export.overwrite)
    finally:
        shutil.rmtree(export.partial, ignore_errors=True)
    return result


def put_in_place(complete: Path, output: Path, *, overwrite: bool) -> None:
    """Gives the folder `complete` the name `output`, in place of an earlier export.

    Raises:
      OutputError: see `check_free`. The engine ran for minutes since the first look.
    """
    check_free(output, overwrite=overwrite)
    if not output.exists() or not any(output.iterdir()):
        complete.rename(output)
        return
    earlier = output.with_name(f".{output.name}.earlier")
    shutil.rmtree(earlier, ignore_errors=True)
    output.rename(earlier)
    complete.rename(output)
    shutil.rmtree(earlier)


def _partial(output: Path) -> Path:
    return output.with_name(f".{output.name}.partial")
