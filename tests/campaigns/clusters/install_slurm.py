"""Installs Slurm and munge from Debian's packages for test_slurm.py: `-m campaigns.clusters.install_slurm`.

Does nothing if they are installed. If it cannot install them, it says why, and the tests are skipped.
"""

from __future__ import annotations

import os
import shutil
import subprocess

from campaigns.clusters import slurm_cluster

_PACKAGES = ("slurm-wlm", "munge")


def main() -> None:
    """Installs what is missing."""
    if not slurm_cluster.absent():
        print("Slurm and munge are installed.")
        return
    if os.geteuid() != 0:
        print(f"The tests of Slurm will be skipped: only root can install {' and '.join(_PACKAGES)}.")
        return
    if shutil.which("apt-get") is None:
        print(f"The tests of Slurm will be skipped: apt-get, which installs {' and '.join(_PACKAGES)}, is not here.")
        return
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for words in (("update",), ("install", "--yes", "--no-install-recommends", *_PACKAGES)):
        done = subprocess.run(
            ["apt-get", "--quiet", *words], env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            last = (done.stderr or done.stdout).strip().splitlines()[-1:]
            print(f"The tests of Slurm will be skipped: apt-get {words[0]} failed: {' '.join(last)}")
            return
    print(f"Installed {' and '.join(_PACKAGES)}.")


if __name__ == "__main__":
    main()
