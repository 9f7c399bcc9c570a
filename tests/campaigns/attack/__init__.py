"""Hostile input for every command, by the thousand.

    make attack                           every kind
    make attack ARGS="--kinds=signals,streams --seed=7"
    make attack ARGS="--kinds=tensorflow"  the few that start TensorFlow (minutes)
    make attack ARGS="--only=signals/0012 --seed=7 --keep=kept"   one run again; its folder stays in kept/

A run is one command in a child process, in a new folder with files that are not the command's. Its verdict is `ok`,
`refused` (one clear message and its exit code) or a fault. The listing of kinds/ is the registry: a module there has a
docstring and `cases(draw, samples)`, and the same seed draws the same cases.
"""
