"""The class as the hub knows it: accounts and passwords. Needs only the standard library."""

import csv
import io
import re
import secrets

PREFIX = "lab-"
"""Of accounts: so no student is a user that the system knows already, such as root."""
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Of passwords: none that looks like another."""


def account(student):
    """What a student is called by the hub and by the system.

    >>> account("Example.Ada"), account("lab-s01"), account("root")
    ('lab-example-ada', 'lab-s01', 'lab-root')
    """
    plain = re.sub(r"[^a-z0-9]+", "-", student.lower().removeprefix(PREFIX))
    return (PREFIX + plain)[:32]


def accounts(students):
    """{account: student}; ValueError if two would share one."""
    found = {}
    for student in students:
        other = found.setdefault(account(student), student)
        if other != student:
            raise ValueError(
                f"students must differ in letters a-z and digits; got {other!r} and {student!r}, "
                f"both {account(student)}. Change one in the list."
            )
    return found


def read_passwords(path):
    """{student: password} of passwords.csv; nobody's if there is none."""
    return dict(csv.reader(io.StringIO(path.read_text()))) if path.exists() else {}


def passwords(path, students):
    """Give everybody a password who has none yet; passwords.csv then holds all of them."""
    table = read_passwords(path)
    for student in students:
        new = "".join(secrets.choice(LETTERS) for _ in range(10))
        table.setdefault(student, new)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(table.items())
    path.touch(mode=0o600)
    path.write_text(text.getvalue())
