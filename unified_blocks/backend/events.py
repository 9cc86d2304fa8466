"""`EventWriter`: numbers over time, in the files that TensorBoard reads."""

from __future__ import annotations

from abc import ABC, abstractmethod


class EventWriter(ABC):
    """Writes event files, by the framework's own writer."""

    @abstractmethod
    def scalar(self, name: str, value: float, step: int) -> None:
        """Write one number of a curve, at this step."""

    @abstractmethod
    def flush(self) -> None:
        """Write to the disk what is not written yet."""

    @abstractmethod
    def close(self) -> None:
        """Do so, and end."""
