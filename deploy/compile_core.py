"""Compiles the arithmetic of the fold with mypyc: `make compiled`, and in the image. The source and what it does stay.

Copies the three packages into a folder and builds there, so that no compiled module can outlive a change of its source;
given a second folder, puts the built modules beside those that are installed there. Needs a C compiler.

What declares msgspec types stays as it is (mypyc drops what `array_like` says); so do `effects.py`, of which
interpreted modules derive classes, and `evidence.py` and `drivers.py`, whose whole numbers would be published as
floats: mypyc takes `float` at its word. `make test-compiled` holds the bytes of both builds against each other.
"""

import os
import shutil
import sys
from pathlib import Path

from mypyc.build import mypycify
from setuptools import setup

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("schemas", "streams", "agents")
MODULES = {
    "streams": ("calendar", "hearing", "process"),
    "streams/customer": ("booking", "counters", "daylog", "dedupe", "facts", "orders", "series"),
    "streams/models": (
        "band_crossing",
        "crossing",
        "evidence_inputs",
        "lambert",
        "lifetime_value",
        "rhythm",
        "scoring",
        "spend",
    ),
    "streams/standing": (
        "amends",
        "announce_band",
        "announce_tier",
        "churn",
        "clocks",
        "fact_gauges",
        "gauge",
        "gauges",
        "hand",
        "ladder",
        "ladder_rules",
        "late_bands",
        "model_gauges",
        "moment",
        "notices",
        "places",
        "profile",
        "rules",
        "spans",
        "sum_gauges",
    ),
}


def main(folder: Path, installed: Path | None = None) -> None:
    """Make the folder anew; what was built goes into `installed` as well."""
    shutil.rmtree(folder, ignore_errors=True)
    for package in PACKAGES:
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    os.chdir(folder)
    files = [f"{package}/{module}.py" for package, modules in MODULES.items() for module in modules]
    setup(
        name="tierstream-core",
        packages=[],
        ext_modules=mypycify([f"--config-file={ROOT / 'pyproject.toml'}", *files], opt_level="2", debug_level="0"),
        script_args=["--quiet", "build_ext", "--inplace"],
    )
    shutil.rmtree("build")
    if installed is not None:
        for module in folder.rglob("*.so"):
            shutil.copy2(module, installed / module.relative_to(folder))


if __name__ == "__main__":
    main(*(Path(argument).resolve() for argument in sys.argv[1:]))
