"""What is watched while a network trains, and after."""
