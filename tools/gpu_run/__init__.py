"""What only a GPU can show, by one command: tests, two networks, how good they are, how fast.

    python -m tools.gpu_run --out runs/gpu --data DIR       eight minutes on one large GPU
    python -m tools.gpu_run --out runs/gpu --data DIR --half 1      or in two calls
    python -m tools.gpu_run --out runs/gpu --data DIR --half 2
    python -m tools.gpu_run --out runs/gpu --publish        what came out becomes the course's files
    python -m tools.gpu_run --out runs/toy --dry-run        all of it at toy size, on a CPU

DIR holds MNIST's files; without it they are downloaded. The work is a list of steps (`plan`). Each
writes its result into the report when it is done, and is skipped from then on: whatever ends the
command, the next call goes on. The folder holds all that a later call needs, in at most `FILES`
files of at most `FILE_BYTES`; with --data and that folder another machine can take the second half.

    report.json     every result: cards and logs of the networks, speeds, tests
    report.md       the same as tables, for people
    NAME.partN      the averaged network NAME, in 16 bits, cut into files
    samples.png     ten digits, four of each
"""

FILES, FILE_BYTES = 8, 16_000_000
"""The most that a run leaves in its folder."""
