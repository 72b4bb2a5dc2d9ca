"""The program `ddpm-lab`, also called as `python -m ddpm_lab`: see `cli`."""

import sys


def main(argv: list[str] | None = None) -> int:
    """Run one command; the exit status.

    Parameters
    ----------
    argv : the words after the program's name; default: those that it was called with
    """
    try:
        from ddpm_lab import cli

        return cli.main(argv)
    except KeyboardInterrupt:  # Ctrl-C before any command runs
        return 130


if __name__ == "__main__":
    sys.exit(main())
