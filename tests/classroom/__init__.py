"""A class of made-up students, with hand-ins of all kinds, and the marks that they must get."""
