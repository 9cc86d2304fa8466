"""`EventWriter`: numbers over time, in the files that TensorBoard reads."""

from __future__ import annotations

from abc import ABC, abstractmethod


class EventWriter(ABC):
    """Writes event files, by the framework's own writer."""

    @abstractmethod
    def scalar(self, name: str, value: float, step: int) -> None:
        """Write one number of a curve, at this step."""

    @abstractmethod
    def close(self) -> None:
        """Write all that is not written yet, and end."""
