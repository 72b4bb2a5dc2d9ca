"""What stopped pip, in plain words, and what to do."""

import re

CPU_INDEX = "https://download.pytorch.org/whl/cpu"


STOPPED = "Step 2 of 3, the packages, stopped. "
AGAIN = "Run the same command again: it goes on where it stopped."
OFFLINE = (
    """No network on this machine? On one that has it, with the same system and Python, run
    python -m pip download -d wheels --no-deps -r lock.txt
    python -m pip download -d wheels -c constraints.txt torch
in a copy of this folder (for PyTorch without CUDA, end the second line with
--no-deps --index-url """
    + CPU_INDEX
    + """), bring `wheels` here, set PIP_NO_INDEX=1 and PIP_FIND_LINKS=wheels in
the environment, and run this again."""
)


# Signs in what pip says, most telling first, and what they mean to a reader.
PIP_TROUBLES = [
    (
        r"Operation canceled by user|KeyboardInterrupt",
        f"You stopped it.\n{AGAIN}",
    ),
    (
        r"No space left on device|Errno 28|not enough space on the disk",
        "The disk is full.\nMake room (pip also writes to its cache, `pip cache dir`, and to the "
        f"folder for temporary files).\n{AGAIN}",
    ),
    (
        r"CERTIFICATE_VERIFY_FAILED|SSLCertVerificationError",
        "The package index answered, but its certificate is not trusted here.\nBehind a company "
        f"or school proxy: set PIP_CERT to its certificate file.\n{AGAIN}",
    ),
    (
        r"NewConnectionError|NameResolutionError|ConnectTimeoutError|ReadTimeoutError|ProxyError"
        r"|Failed to establish a new connection|Temporary failure in name resolution"
        r"|getaddrinfo failed|Network is unreachable|Connection refused|Connection reset"
        r"|Connection aborted|IncompleteRead|Tunnel connection failed",
        "The package index cannot be reached.\nCheck the network; behind a proxy set HTTPS_PROXY."
        f"\n{AGAIN}\n{OFFLINE}",
    ),
    (
        r"DO NOT MATCH THE HASHES",
        "A package is not the one that lock.txt names: damaged on its way, or replaced.\nAnother "
        "index or folder of wheels may hold the right one; `pip cache purge` forgets a damaged\n"
        f"one. {AGAIN}",
    ),
    (
        r"No matching distribution found for (?P<package>[^\s;]+)",
        "No build of {package} was found for this machine.\nThe Python may be too new (3.10 to "
        "3.14 are known to have everything) or the processor unusual;\nwith PIP_NO_INDEX set, the "
        f"folder in PIP_FIND_LINKS lacks it.\n{OFFLINE}",
    ),
    (
        r"ResolutionImpossible",
        "No set of packages fits this Python and constraints.txt; pip names one above.\nWith "
        f"PIP_NO_INDEX set, the folder in PIP_FIND_LINKS may lack it.\n{OFFLINE}",
    ),
    (
        r"Permission ?[dD]enied|WinError 5\b",
        "A file could not be written.\nIs the folder yours, and is JupyterLab from .venv still "
        f"running? Close it.\n{AGAIN}",
    ),
]


def why_pip_failed(complaints):
    """What stopped pip, in plain words, from what it wrote to stderr."""
    for sign, meaning in PIP_TROUBLES:
        found = re.search(sign, complaints)
        if found:
            return meaning.format(**found.groupdict())
    return f"pip says above why.\n{AGAIN}\nIf it stops there again: python lab.py clean, then this."
