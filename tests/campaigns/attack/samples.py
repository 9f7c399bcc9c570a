"""Good inputs, made once for a campaign: what the cases spoil."""

from __future__ import annotations

import json
import os
import random
import struct
import subprocess
import sys
import zlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from campaigns.attack.child import ROOT

_OBJECT = (
    "<object><name>{}</name><bndbox><xmin>{}</xmin><ymin>{}</ymin><xmax>{}</xmax><ymax>{}</ymax></bndbox></object>"
)
LEGACY = """\
trainingInput:
  runtimeVersion: "1.15"
  scaleTier: CUSTOM
  masterType: standard_gpu
  workerCount: 2
  workerType: standard_gpu
  parameterServerCount: 1
  parameterServerType: standard
  pythonModule: object_detection.model_main
  args: [--pipeline_config_path=gs://b/pipeline.config, --num_train_steps, "50000"]
  jobDir: gs://b/run
  region: europe-west4
  serviceAccount: trainer@p.iam.gserviceaccount.com
  scheduling: {maxRunningTime: 7200s}
"""
PATCH = "train_config.num_steps: 700\ntrain_config:\n  batch_size: 2\nmodel..l2_regularizer.weight: 7e-5\n"
PRICES = "date: 2026-11-22\ncurrency: USD\ncpus: {n1: 0.03}\nmemory_gib: {n1: 0.004}\naccelerators: {T4: 0.35}\n"
LABEL_MAP = 'item { id: 1 name: "cat" }\nitem { id: 2 name: "dog" display_name: "Dog" }\n'


@dataclass(frozen=True)
class Samples:
    """Good inputs.

    Attributes:
      folder: where they are made.
    """

    folder: Path

    @cached_property
    def formats(self) -> dict[str, Path]:
        """By format: a folder with `annotations` and `images`."""
        return {path.name: path for path in sorted((ROOT / "tests/formats").iterdir()) if path.is_dir()}

    @cached_property
    def jobs(self) -> dict[str, Path]:
        """Job files by name."""
        return {path.stem: path for path in sorted((ROOT / "tests/data/cloud/jobs").glob("*.yaml"))}

    @cached_property
    def voc(self) -> Path:
        """Twelve pictures with boxes, in a folder with their XML files."""
        folder = self.folder / "voc"
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(12):
            (folder / f"pet{number}.png").write_bytes(png(60, 40, number))
            (folder / f"pet{number}.xml").write_text(voc_xml(f"pet{number}.png", ["cat", "dog"][number % 2]))
        return folder

    @cached_property
    def records(self) -> Path:
        """A folder of records."""
        output = self.folder / "records"
        if not output.exists():
            self._tfod("make_records", f"--annotations={self.voc}", f"--output={output}", "--shards=2")
        return output

    @cached_property
    def config(self) -> Path:
        """A pipeline.config on the records."""
        output = self.folder / "pipeline.config"
        if not output.exists():
            template = "--template=ssd_mobilenet_v2_small_192x192"
            self._tfod("make_config", template, f"--records={self.records}", f"--output={output}")
        return output

    def local_job(self, name: str, **more: str) -> str:
        """A job file for this machine's own config; `more` holds further lines by key."""
        lines = {
            "name": name,
            "style": "estimator",
            "config": str(self.config),
            "model_dir": "model",
            "cluster": "{chief: {cpus: 1, memory: 2Gi}}",
        } | more
        return "".join(f"{key}: {value}\n" for key, value in lines.items())

    def _tfod(self, command: str, *arguments: str) -> None:
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        argv = [sys.executable, "-m", f"tfod_tools.{command}", *arguments]
        subprocess.run(argv, check=True, capture_output=True, env=env, cwd=self.folder)


def voc_xml(picture: str, *names: str) -> str:
    """A VOC file with a box for each of `names`."""
    boxes = "".join(_OBJECT.format(name, 1 + i % 20, 2, 30 + i % 20, 35) for i, name in enumerate(names))
    return f"<annotation><filename>{picture}</filename>{boxes}</annotation>\n"


def coco(picture: str, name: str = "cat") -> dict[str, object]:
    """A COCO document with one box."""
    return {
        "images": [{"id": 1, "file_name": picture, "width": 60, "height": 40}],
        "categories": [{"id": 1, "name": name}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 20, 30]}],
    }


def png(width: int, height: int, seed: int = 0, *, said: tuple[int, int] | None = None) -> bytes:
    """A PNG of grey noise; its header may say another size than it has."""
    draw = random.Random(seed)
    rows = b"".join(b"\0" + draw.randbytes(width) for _ in range(height))
    header = struct.pack(">IIBBBBB", *(said or (width, height)), 8, 0, 0, 0, 0)
    chunks = (_chunk(b"IHDR", header), _chunk(b"IDAT", zlib.compress(rows)), _chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def crc32c(data: bytes) -> int:
    """The checksum of TFRecords."""
    import google_crc32c

    return int(google_crc32c.value(data))


def record(content: bytes) -> bytes:
    """A TFRecord with right checksums."""

    def masked(data: bytes) -> bytes:
        crc = crc32c(data)
        return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)

    length = struct.pack("<Q", len(content))
    return length + masked(length) + content + masked(content)


def manifest(samples: Samples) -> dict[str, object]:
    """The manifest of the records."""
    return dict(json.loads((samples.records / "manifest.json").read_bytes()))
