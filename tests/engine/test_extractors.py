"""Feature extractors of a user's own, in both styles, with the real engine."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from support import engine_code, tiny_run

pytestmark = pytest.mark.engine

DOCUMENT = tiny_run.ROOT / "docs" / "extractors.md"


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_run.make_records(tmp_path_factory.mktemp("data"), images=8)


def example(name: str) -> str:
    """The module of the documents whose docstring begins with `name`."""
    (code,) = re.findall(rf'```python\n("""{re.escape(name)}:.*?)```', DOCUMENT.read_text(), re.DOTALL)
    return str(code)


@pytest.mark.parametrize(("file", "style"), [("plain.py", "tf1"), ("plain_keras.py", "tf2")])
def test_the_examples_of_the_documents_work_as_they_are(file: str, style: str, records: Path, tmp_path: Path) -> None:
    own = tmp_path / file
    own.write_text(example(file))
    config, model, export = (tmp_path / name for name in ("pipeline.config", "model", "export"))
    flags = [f"--template={tiny_run.SMALL['tf1'][0]}", f"--records={records}", f"--output={config}"]
    edits = [*tiny_run.SMALL["tf1"][1:], f"model.ssd.feature_extractor.type=ssd_{own.stem}"]
    tiny_run.tfod("make_config", *flags, *(f"--set={edit}" for edit in edits), f"--extension={own}")

    said = tiny_run.tfod("train", f"--config={config}", f"--model_dir={model}", "--steps=2", f"--extension={own}")
    assert f"Training in {style.upper()} style" in said
    assert "Trained to step 2" in said
    tiny_run.tfod("evaluate", f"--model_dir={model}", f"--extension={own}")
    assert json.loads((model / "metrics-2.json").read_text())["metrics"]["images"] == 2
    tiny_run.tfod("export", f"--model_dir={model}", f"--output={export}", f"--extension={own}")
    images = f"--images={records.parent / 'voc' / 'images'}"
    own.unlink()
    tiny_run.tfod("predict", f"--model={export}", images, f"--output={tmp_path / 'found'}")
    assert len(json.loads((tmp_path / "found" / "detections.json").read_text())["images"]) == 8


REGISTER = """
from tfod_tools.engine import extractors

class Mine: pass
for architecture in ("ssd", "faster_rcnn", "center_net"):
    assert extractors.register(architecture, architecture + "_mine")(Mine) is Mine

from object_detection.builders import model_builder
names = [[name for name in known if known[name] is Mine] for known in model_builder.FEATURE_EXTRACTOR_MAPS]
assert sorted(names) == [["center_net_mine"], ["faster_rcnn_mine"], ["ssd_mine"]]
"""


@pytest.mark.parametrize("style", ["tf1", "tf2"])
def test_every_architecture_takes_an_extractor(style: str) -> None:
    engine_code.printed(style, REGISTER)


# The last line of standard output is what each extension is told.
SAID = """
import json, sys
from tfod_tools.base.errors import ConfigError
from tfod_tools.engine import extractors

def said(extension):
    try:
        extractors.provide(sys.argv[1], extension)
    except ConfigError as error:
        return str(error)

print(json.dumps([said(extension) for extension in sys.argv[2:]]))
"""
MODULES = {
    "nothing.py": ("tf1", "", "registers nothing for ssd, but the config's feature_extractor.type is 'ssd_mine'."),
    "another.py": (
        "tf1",
        "extractors.register('ssd', 'ssd_other')(ssd_meta_arch.SSDFeatureExtractor)",
        "registers ssd_other for ssd, but the config's feature_extractor.type is 'ssd_mine'",
    ),
    "taken.py": (
        "tf1",
        "extractors.register('ssd', 'ssd_mobilenet_v2')(ssd_meta_arch.SSDFeatureExtractor)",
        "an extractor with the name 'ssd_mobilenet_v2' exists already. Choose another name.",
    ),
    "architecture.py": (
        "tf1",
        "extractors.register('sdd', 'ssd_mine')(object)",
        "architecture is 'sdd'. It must be one of ssd,",
    ),
    "broken.py": (
        "tf1",
        "\n1 / 0",
        ":5: cannot be imported: ZeroDivisionError: division by zero. The traceback is in the log.",
    ),
    "syntax.py": ("tf1", "def", "cannot be imported: SyntaxError:"),
    "style.py": (
        "tf1",
        "extractors.register('ssd', 'ssd_mine')(ssd_meta_arch.SSDKerasFeatureExtractor)",
        "'ssd_mine' is not a subclass of SSDFeatureExtractor. Names of TF2",
    ),
    "style_keras.py": (
        "tf2",
        "extractors.register('ssd', 'ssd_mine_keras')(ssd_meta_arch.SSDFeatureExtractor)",
        "'ssd_mine_keras' is not a subclass of SSDKerasFeatureExtractor. Names of TF2",
    ),
    "taken_keras.py": (
        "tf2",
        "extractors.register('ssd', 'ssd_mobilenet_v2_keras')(ssd_meta_arch.SSDKerasFeatureExtractor)",
        "an extractor with the name 'ssd_mobilenet_v2_keras' exists already",
    ),
}
IMPORTS = "from object_detection.meta_architectures import ssd_meta_arch\nfrom tfod_tools.engine import extractors\n\n"
TYPES = {"tf1": "ssd_mine", "tf2": "ssd_mine_keras"}


@pytest.mark.parametrize("style", TYPES)
def test_an_extension_that_is_of_no_use_is_told_why_in_one_line(style: str, tmp_path: Path) -> None:
    config = tmp_path / "pipeline.config"
    config.write_text(f'model {{ ssd {{ feature_extractor {{ type: "{TYPES[style]}" }} }} }}')
    expected = {name: said for name, (of, _, said) in MODULES.items() if of == style}
    for name in expected:
        (tmp_path / name).write_text(IMPORTS + MODULES[name][1])
    expected |= {"missing.py": "cannot be imported: FileNotFoundError", "no_module": "ModuleNotFoundError: No module"}
    paths = [str(tmp_path / name) if name.endswith(".py") else name for name in expected]
    printed = engine_code.printed(style, SAID, str(config), *paths)
    for path, said, wanted in zip(paths, json.loads(printed[-1]), expected.values(), strict=True):
        assert said.startswith(f"{path}:")
        assert wanted in said
        assert "\n" not in said


def test_a_module_that_python_finds_needs_no_path(tmp_path: Path) -> None:
    package = tmp_path / "installed_for_a_test"
    package.mkdir()
    (package / "mine.py").write_text(
        f"{IMPORTS}@extractors.register('ssd', 'ssd_mine')\nclass Mine(ssd_meta_arch.SSDFeatureExtractor): pass\n"
    )
    config = tmp_path / "pipeline.config"
    config.write_text('model { ssd { feature_extractor { type: "ssd_mine" } } }')
    code = f"sys.path.append({str(tmp_path)!r})\n{SAID}"
    assert engine_code.printed("tf1", code, str(config), "installed_for_a_test.mine")[-1] == "[null]"


def test_a_module_may_import_its_neighbours_but_they_hide_nothing(tmp_path: Path) -> None:
    (tmp_path / "neighbour.py").write_text("NAME = 'ssd_mine'")
    (tmp_path / "tf_slim.py").write_text("raise ImportError('this is not tf_slim')")
    (tmp_path / "mine.py").write_text(
        f"{IMPORTS}import neighbour\nextractors.register('ssd', neighbour.NAME)(ssd_meta_arch.SSDFeatureExtractor)\n"
    )
    config = tmp_path / "pipeline.config"
    config.write_text('model { ssd { feature_extractor { type: "ssd_mine" } } }')
    printed = engine_code.printed("tf1", SAID, str(config), str(tmp_path / "mine.py"))
    assert printed[-1] == "[null]"


def test_an_extractor_of_this_package_is_imported_only_when_it_is_asked_for(tmp_path: Path) -> None:
    config = tmp_path / "pipeline.config"
    config.write_text('model { ssd { feature_extractor { type: "ssd_mobilenet_v2_keras" } } }')
    code = (
        "import sys\nfrom tfod_tools.engine import extractors\nextractors.provide(sys.argv[1], None)\n"
        "print(sorted(name for name in sys.modules if name.startswith('tfod_tools.engine.extractors.')))\n"
        "print('object_detection.builders.model_builder' in sys.modules)"
    )
    printed = engine_code.printed("tf2", code, str(config))
    assert printed[-2:] == ["[]", "False"]
