# make demo   a simulated drive (or your own pairs: VISIBLE=dir INFRARED=dir) through the node, over DDS
# make lint   ruff, import-linter and mypy
# make test   make lint, and the tests except those that take minutes; make test-all has these too
# make coverage   the share of the code that the tests of make test run
# make docs   the documents, into build/site
# make parameters   config/psfusion.yaml, from the declarations in psfusion_core/fusion/node_parameters.py
VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DEMO_FLAGS := $(if $(VISIBLE),--visible "$(VISIBLE)") $(if $(INFRARED),--infrared "$(INFRARED)")
# More processes than cores, because the tests of the node mostly wait.
WORKERS ?= 4
PYTEST := -m pytest --numprocesses $(WORKERS) --dist worksteal

.PHONY: demo lint test test-all coverage docs parameters clean

# A sourced ROS installation would hide the ROS of the virtual environment.
unexport PYTHONPATH AMENT_PREFIX_PATH LD_LIBRARY_PATH

# The tested PyTorch first, so that no dependency picks another one.
$(READY): setup.py requirements-torch.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-torch.txt
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[ros-wheels,bag,train,onnx,evaluate,downstream,ray,view,docs,test]'
	touch $@

demo: $(READY)
	$(BIN)/python -m psfusion_ros.demo $(DEMO_FLAGS)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/mypy

test: lint
	$(BIN)/python $(PYTEST)

test-all: lint
	$(BIN)/python $(PYTEST) -m ''

coverage: $(READY)
	$(BIN)/coverage erase
	$(BIN)/coverage run $(PYTEST)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --skip-covered

docs: $(READY)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

parameters: $(READY)
	$(BIN)/python docs/generate/parameter_file.py

clean:
	rm -rf $(VENV) demo_output build install log .coverage*
