"""The measurement of what each implementation costs."""
