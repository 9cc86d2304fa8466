"""What the tests of this library are made with."""
