"""Every topic of the syllabus is taught somewhere.

Truth: the list of topics, `chapters/source/topics.txt`, made before the chapters were written.
"""

from tools.notebooks import topics

LATER = {177, 179}
"""Continuous time, what lies beyond: chapters in preparation."""


def test_no_topic_is_left_out():
    names = {f"C{number:03}" for number in range(1, 201)}
    assert set(topics.titles()) == names
    missing = names - set(topics.taught())
    assert missing == {f"C{number:03}" for number in LATER}


def test_chapters_name_topics_that_exist():
    assert set(topics.taught()) <= set(topics.titles())
