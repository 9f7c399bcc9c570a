"""Package metadata of tfod-tools."""

from pathlib import Path

from setuptools import find_packages, setup

# The engine: upstream's last state and what it needs to run unmodified on a current TensorFlow. `make lock` pins
# everything below it, with hashes, in requirements.lock.
ENGINE = [
    "tensorflow~=2.20.0",
    "tf-keras~=2.20.0",  # Keras 2: the same minor version as TensorFlow
    "tf-models-official~=2.20.0",
    "tf-object-detection-api==0.1",
    "tensorflow-estimator==2.15.0",
    "tf-slim==1.1.0",
    "contextlib2",
    "pycocotools",
    "setuptools<81",  # tensorflow-hub imports pkg_resources
]

setup(
    name="tfod-tools",
    version="0.1.0",
    description="From annotated images to a working detector with the TensorFlow Object Detection API",
    long_description=Path(__file__).with_name("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.10,<3.13",
    packages=find_packages(include=["tfod_tools*", "record_builders*", "pipeline_configs*", "cloud*"]),
    package_data={"pipeline_configs": ["templates/*.config"]},
    entry_points={"console_scripts": ["tfod=tfod_tools.__main__:main"]},
    install_requires=[
        "absl-py>=1.4",
        "google-crc32c",
        "lxml",
        "pillow>=10.1",
        "protobuf>=5.28,<7",  # protobuf 7 has no float_format, which the engine's config printing uses
        "pyyaml",
        "rich",
    ],
    extras_require={
        "train": ENGINE,
        "gpu": [*ENGINE, "tensorflow[and-cuda]~=2.20.0"],
        "open_images": ["polars>=1.20"],
        "beam": ["apache-beam>=2.60"],
        "cloud": ["google-cloud-aiplatform", "pyyaml"],
        "onnx": ["tf2onnx"],
        "dev": ["hypothesis", "mypy", "polars>=1.20", "psutil", "pytest", "pytest-xdist", "ruff", "uv"],
    },
)
