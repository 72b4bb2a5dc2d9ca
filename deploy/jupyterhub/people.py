"""Who may come in, and how much memory each process of theirs gets."""

import hmac
import resource
from pathlib import Path

from jupyterhub.auth import Authenticator, LocalAuthenticator
from jupyterhub.spawner import LocalProcessSpawner, SimpleLocalProcessSpawner
from roll import account, read_passwords
from traitlets import Unicode


class Passwords(Authenticator):
    """Lets in whom passwords.csv knows."""

    file = Unicode(help="passwords.csv").tag(config=True)

    def normalize_username(self, username):
        return account(username)

    async def authenticate(self, handler, data):
        name, table = account(data["username"]), read_passwords(Path(self.file))
        right = {account(student): password for student, password in table.items()}.get(name, "")
        same = hmac.compare_digest(right.encode(), data["password"].encode())
        return name if right and same else None


class Accounts(Passwords, LocalAuthenticator):
    """The same, and each student gets an account of the system."""


class _Limited:
    """Each process of a student gets so much memory and no more: then there is a MemoryError.

    A limit of the kernel for each process, since control groups cannot be had everywhere.
    """

    def make_preexec_fn(self, name):
        become = super().make_preexec_fn(name)

        def before():
            if self.mem_limit:
                resource.setrlimit(resource.RLIMIT_DATA, (self.mem_limit, self.mem_limit))
            become()

        return before


class OwnUser(_Limited, LocalProcessSpawner):
    """Each student is a user of the system: for a hub that is root."""


class SameUser(_Limited, SimpleLocalProcessSpawner):
    """All run as whoever started the hub, in folders of their own: for a trial."""
