"""Package metadata of tfod-tools."""

import re
from pathlib import Path

from setuptools import find_packages, setup

# The engine: upstream's last state, and what it needs to run unmodified on a current TensorFlow. The versions that go
# together are in tfod_tools/engine/versions.py; a test compares them. `tfod engine --install` installs them, also where
# pip finds no solution. `make lock` pins those of TensorFlow 2.20 and all their dependencies, with hashes, in
# requirements.lock.
ENGINE = [
    "tensorflow>=2.15.1,<2.22",
    "tf-keras>=2.15.1,<2.22",  # Keras 2; asks for TensorFlow of the same minor version
    "tf-models-official>=2.15,<2.21",  # asks for TensorFlow of the same minor version
    "tf-object-detection-api==0.1",
    "tensorflow-estimator==2.15.0",
    "tf-slim==1.1.0",
    "tensorboard",  # TensorFlow 2.21 does not install it any more
    "contextlib2",
    "pycocotools",
    "setuptools<81",  # tensorflow-hub imports pkg_resources
]

# What is installed. `cloud` is a common name for a package, so the metadata of the wheel list these names.
TOP_LEVEL = ("tfod_tools", "record_builders", "pipeline_configs", "cloud")

(VERSION,) = re.findall(
    r'^__version__ = "(.+)"$',
    Path(__file__).parent.joinpath("tfod_tools/__init__.py").read_text(encoding="utf-8"),
    re.MULTILINE,
)

setup(
    name="tfod-tools",
    version=VERSION,
    description="From annotated images to a working detector with the TensorFlow Object Detection API",
    long_description=Path(__file__).with_name("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.10,<3.14",
    packages=find_packages(include=[f"{name}{below}" for name in TOP_LEVEL for below in ("", ".*")]),
    provides=list(TOP_LEVEL),
    keywords=["object detection", "tensorflow", *TOP_LEVEL],
    package_data={
        "cloud.estimates": ["prices.yaml"],
        "pipeline_configs": ["making/published.json", "templates/*.config"],
    },
    entry_points={"console_scripts": ["tfod=tfod_tools.__main__:main"]},
    install_requires=[
        "absl-py>=1.4",
        "google-crc32c",
        "lxml",
        "pillow>=10.1",
        "protobuf>=4.25,<7",  # protobuf 7 has no float_format, which the engine's config printing uses
        "pyyaml",
        "rich",
    ],
    extras_require={
        "train": ENGINE,
        "gpu": [*ENGINE, "tensorflow[and-cuda]>=2.15.1,<2.22"],
        "open_images": ["polars>=1.20"],
        "beam": ["apache-beam>=2.60"],
        "gcs": ["fsspec", "gcsfs"],
        "s3": ["fsspec", "s3fs"],
        "cloud": ["google-cloud-aiplatform"],
        "onnx": ["tf2onnx"],
        "dev": ["grpcio-tools", "hypothesis", "mypy", "polars>=1.20", "psutil", "pytest", "pytest-xdist", "ruff", "uv"],
    },
)
