"""The shortest way from records to a frozen graph, in both styles: records, config, two steps, export, detections.

    python -m support.smoke

Prints one JSON object: the versions that are installed, and for each style the shims that were needed and why.
"""

from __future__ import annotations

import importlib.metadata
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from support import tiny_run

from tfod_tools.base import engine_process

PACKAGES = ("tensorflow", "tf-keras", "keras", "tf-models-official", "numpy", "protobuf", "pillow", "scipy")


def main() -> None:
    """Runs all stages in both styles. Fails at the first stage that fails."""
    shims = {}
    with tempfile.TemporaryDirectory() as folder:
        records = tiny_run.make_records(Path(folder))
        for style in ("tf1", "tf2"):
            print(f"{style} ...", file=sys.stderr, flush=True)
            shims[style] = needed_shims(style, Path(folder))
            whole_way(style, Path(folder), records)
    versions = {name: importlib.metadata.version(name) for name in PACKAGES}
    print(json.dumps({"versions": versions, "shims": shims}))


def needed_shims(style: str, folder: Path) -> dict[str, str]:
    """Name of each shim that is needed, and why."""
    events: list[Any] = []
    engine_process.run(["tfod_tools.engine.probe", f"--style={style}"], log=folder / "log", on_event=events.append)
    return {event["name"]: event["reason"] for event in events if event["reason"]}


def whole_way(style: str, folder: Path, records: Path) -> None:
    """Each command on the way once."""
    run = folder / style
    model, export, found = run / "model", run / "export", run / "found"
    config = tiny_run.make_config(records, style, run / "pipeline.config")
    tiny_run.tfod("train", f"--config={config}", f"--model_dir={model}", "--steps=2")
    tiny_run.tfod("export", f"--model_dir={model}", f"--output={export}", "--format=frozen_graph")
    assert (export / "frozen_inference_graph.pb").stat().st_size > 100_000
    tiny_run.tfod("predict", f"--model={export}", f"--images={folder / 'voc' / 'images'}", f"--output={found}")
    assert len(json.loads((found / "detections.json").read_text())["images"]) == 12


if __name__ == "__main__":
    main()
