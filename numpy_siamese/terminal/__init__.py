"""What is said at the terminal, and numbers as they are typed there."""
