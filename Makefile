# Every target runs in the active environment.

# `make docs` needs `pip install '.[docs]'`.

.PHONY: check docs lint quick quick-numpy quick-torch test

check: lint quick

lint:
	ruff format --check .
	ruff check .
	mypy
	lint-imports

docs:
	rm -rf build/site
	python -m sphinx --quiet --fail-on-warning --fresh-env --conf-dir docs \
		--doctree-dir build/doctrees . build/site
	@echo open build/site/index.html

quick:
	$(MAKE) --jobs=2 --output-sync quick-numpy quick-torch

quick-numpy quick-torch: export HYPOTHESIS_PROFILE = quick
quick-numpy:
	python -m pytest -q -m "not slow" --durations=5 numpy_siamese
quick-torch:
	python -m pytest -q -m "not slow" --durations=5 torch_siamese parity_tests benchmarks

test:
	python -m pytest
