"""Tools for the authors of the course; a reader of the chapters never needs them."""
