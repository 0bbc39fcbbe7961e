# Every target runs in the active environment.

.PHONY: check lint quick test

check: lint quick

lint:
	ruff format --check .
	ruff check .
	mypy
	lint-imports

quick:
	HYPOTHESIS_PROFILE=quick python -m pytest -q -m "not slow" --durations=5

test:
	python -m pytest
