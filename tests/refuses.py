"""What tests of bad input share: the call must be refused, in words that say what is wrong."""

import pytest


def refuses(error, *fragments):
    """The call must raise `error`, and its message must contain every fragment, in this order."""
    return pytest.raises(error, match=r"(?s)" + ".*".join(fragments))
