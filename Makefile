# Every target runs in the active environment.

# `make docs` needs `pip install --editable '.[docs]'`.

.PHONY: check docs lint quick quick-numpy quick-torch test

check: lint quick

lint:
	ruff format --check .
	ruff check .
	mypy
	lint-imports

docs: docs/_extra/trace.html
	rm -rf build/site
	python -m sphinx --quiet --fail-on-warning --fresh-env --conf-dir docs \
		--doctree-dir build/doctrees . build/site
	@echo open build/site/index.html

# the page that docs/trace.md shows: made once, and again by hand
docs/_extra/trace.html:
	mkdir -p docs/_extra
	rm -rf build/traced
	python -m numpy_siamese train --epochs 1 --keep-checkpoints --quiet --out build/traced
	python -m numpy_siamese trace build/traced --left 0 --right 200 --out $@
	rm -r build/traced

quick:
	$(MAKE) --jobs=2 --output-sync quick-numpy quick-torch

quick-numpy quick-torch: export HYPOTHESIS_PROFILE = quick
quick-numpy:
	python -m pytest -q -m "not slow" --durations=5 numpy_siamese
quick-torch:
	python -m pytest -q -m "not slow" --durations=5 torch_siamese parity_tests benchmarks

test:
	python -m pytest
