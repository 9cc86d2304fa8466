"""`ParameterGroup`: parameters that learn otherwise. The backends know it, so it lives there."""

from unified_blocks.backend.training_step import ParameterGroup as ParameterGroup
