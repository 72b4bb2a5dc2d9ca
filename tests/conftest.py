"""Lets tests import `tools`, which is no part of the installed package; no test is against time."""

import sys
from pathlib import Path

from hypothesis import settings

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
