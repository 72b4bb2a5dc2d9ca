"""The program `ddpm-lab`, also called as `python -m ddpm_lab`: one file for each command.

    ddpm-lab open                                         the chapters, in JupyterLab
    ddpm-lab train --config digits --out runs/digits      a U-Net, stored and resumable
    ddpm-lab sample --run runs/digits                     new images, as a sheet or a film
    ddpm-lab judge --run runs/photos                      a classifier of your own data
    ddpm-lab evaluate --run runs/digits                   bits/dim and distances
    ddpm-lab export --run runs/digits --out up --license mit   a folder for upload
    ddpm-lab claims                                       what is said of diffusion, checked
    ddpm-lab class release course --chapters 05           exercises for a class, and its marks
    ddpm-lab doctor                                       what this machine has
    ddpm-lab test                                         does it work here?

`options` and `devices` hold what the commands share. `open` and `test` need JupyterLab: the extra
`ddpm-lab[lab]`.
"""

import argparse

import ddpm_lab
from ddpm_lab import _console
from ddpm_lab.cli import claims, doctor, evaluate, export, judge, open, options, sample, test, train
from ddpm_lab.cli.classroom import command as classroom

__all__ = ["main"]

_COMMANDS = (open, train, sample, judge, evaluate, export, claims, classroom, doctor, test)


def main(argv: list[str] | None = None) -> int:
    """Run one command; the exit status.

    Parameters
    ----------
    argv : the words after the program's name; default: those that it was called with
    """
    _console.prepare()
    parser = argparse.ArgumentParser(
        prog=options.program(), description="Denoising diffusion: a course, and its U-Net."
    )
    version = f"ddpm-lab {ddpm_lab.__version__}"
    parser.add_argument("--version", action="version", version=version)
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    for each in _COMMANDS:
        each.add(commands)
    args = parser.parse_args(argv)
    return args.run(args)
