"""How `asl` ends, for whoever looks at `$?`."""

from __future__ import annotations

from typing import Final

ALL_WELL: Final = 0
NOT_WELL: Final = 1  # a definition was rejected, an execution ended in another way than SUCCEEDED
UNUSABLE: Final = 2  # the command could not do what it was asked
WAITING: Final = 3  # an execution waits for something from outside
INTERRUPTED: Final = 130  # Ctrl-C, as shells count it
