"""`Clip`: how large a gradient may be. The backends know it, so it lives there."""

from unified_blocks.backend.training_step import Clip as Clip
