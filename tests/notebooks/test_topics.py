"""Every topic of the syllabus is taught somewhere.

Truth: the list of topics, `chapters/source/topics.txt`, made before the chapters were written.
"""

from tools.notebooks import topics


def test_no_topic_is_left_out():
    names = {f"C{number:03}" for number in range(1, 201)}
    assert set(topics.titles()) == names
    assert names - set(topics.taught()) == set()


def test_chapters_name_topics_that_exist():
    assert set(topics.taught()) <= set(topics.titles())
