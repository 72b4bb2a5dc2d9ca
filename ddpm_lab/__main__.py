"""`python -m ddpm_lab` is the program `ddpm-lab`: see `cli`."""

import sys

from ddpm_lab.cli import main

if __name__ == "__main__":
    sys.exit(main())
