"""Omniglot: drawings of 1,623 characters of 50 alphabets, each by 20 people."""
