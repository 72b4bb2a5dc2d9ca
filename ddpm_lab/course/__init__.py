"""What the notebooks show: figures, explorers, exercises. The library imports none of it."""
