"""Start-up time of every command: `COMMAND --help` as a whole process, in turn with an empty Python.

python benchmarks/startup.py [ROUNDS]
"""

import statistics
import subprocess
import sys
import time

from tfod_tools.__main__ import commands


def seconds(*argv: str) -> float:
    """Wall time of one process."""
    began = time.perf_counter()
    subprocess.run([sys.executable, *argv], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def main() -> None:
    """Prints minimum, median and maximum for each command, in milliseconds."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    argvs = {"(python -c pass)": ("-c", "pass")}
    argvs |= {name: ("-m", f"tfod_tools.{name}", "--help") for name in commands()}
    taken: dict[str, list[float]] = {name: [] for name in argvs}
    for _ in range(rounds):
        for name, argv in argvs.items():
            taken[name].append(seconds(*argv))
    print(f"milliseconds of {rounds} rounds, in turn: minimum, median, maximum")
    for name, times in taken.items():
        low, middle, high = (round(1000 * t) for t in (min(times), statistics.median(times), max(times)))
        print(f"{name:<18}{low:>6}{middle:>6}{high:>6}")


if __name__ == "__main__":
    main()
