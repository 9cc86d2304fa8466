"""The tests of `BackendContract`, one module for each concern."""
