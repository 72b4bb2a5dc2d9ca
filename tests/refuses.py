"""What tests of bad input share: the call must be refused, in words that say what is wrong."""

import re
from contextlib import contextmanager

import pytest

OURS = re.compile(r"must .+; got .+\. \S.+", re.DOTALL)  # what must hold; what came; what to do


def refuses(error, *fragments):
    """The call must raise `error`, and its message must contain every fragment, in this order."""
    return pytest.raises(error, match=r"(?s)" + ".*".join(fragments))


@contextmanager
def refused(error, *phrases):
    """Expect `error` itself, not a relative, in our three-part form and with these words."""
    with pytest.raises(error) as info:
        yield
    text = str(info.value)
    assert info.type is error and OURS.search(text), f"{info.type.__name__}: {text}"
    for phrase in phrases:
        assert phrase in text, f"{phrase!r} is not in: {text}"
