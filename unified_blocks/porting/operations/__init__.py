"""The operations of the form that networks are read into, one family a file."""
