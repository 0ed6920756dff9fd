"""What holds for all tests: properties are judged by what they find, and not by how busy the machine is."""

from hypothesis import settings

settings.register_profile("unhurried", settings.default, deadline=None)
settings.load_profile("unhurried")
