# HOST, PORT, DATA_DIR and every other variable of .env.example can be set: make serve PORT=9000

help:
	@echo "make serve          install dependencies, migrate and start the site"
	@echo "make test           install test dependencies and run the tests"
	@echo "make test-models    install torch (7 GB) and test the engines of Kyutai's models, with small ones"
	@echo "make gpu-check      install torch and check the engines of Kyutai's models at full size on a CUDA GPU (8 min)"
	@echo "make test-clients   install third-party clients (1 GB), run them unmodified, and write their table in docs/clients.md"
	@echo "make stack          start Redis, PostgreSQL, two web and two inference processes for experiments"
	@echo "make lint           check style, types and words"
	@echo "make trials         run slow tests: real speech in browsers, failures, long files (30 min)"
	@echo "make release-check  run release checks"
	@echo "make lock           upgrade packages: write the newest versions that requirements/*.txt allow to requirements/locked"
	@echo "make audit          look up known vulnerabilities of packages and vendored scripts (needs the internet)"
	@echo "make pictures       take screenshots of every page to var/pictures"
	@echo "make format         format the code"
	@echo "make clean          remove .venv and caches, but no data"

serve:
	@scripts/setup.sh serve
	@exec .venv/bin/python manage.py serve

test:
	@scripts/setup.sh test
	@scripts/programs.sh
	@scripts/test.sh

test-models:
	@scripts/setup.sh test-models
	@scripts/test.sh models

gpu-check:
	@scripts/gpu-check.sh

test-clients:
	@scripts/setup.sh test-clients
	@.venv/bin/python -m pytest -m "slow and client" -p tests.support.clients.client_table tests/clients

trials:
	@scripts/setup.sh trials
	@scripts/programs.sh slow
	@scripts/test.sh slow

lint:
	@scripts/setup.sh test
	@.venv/bin/ruff check --quiet .
	@.venv/bin/ruff format --check --quiet .
	@.venv/bin/mypy
	@scripts/words.sh

lock:
	@scripts/setup.sh test
	@.venv/bin/python scripts/lock.py

audit:
	@scripts/setup.sh release
	@scripts/audit.sh

release-check:
	@scripts/setup.sh release
	@scripts/programs.sh slow
	@scripts/release-check.sh

stack:
	@scripts/setup.sh test
	@scripts/programs.sh
	@exec .venv/bin/python -m benchmarks.stack

pictures:
	@scripts/setup.sh test
	@scripts/programs.sh
	@mkdir -p var/pictures
	@.venv/bin/python -m pytest -m slow tests/browser/slow/test_pages.py --pictures var/pictures
	@.venv/bin/python -m pytest -m slow tests/browser/slow/test_live_states.py --pictures var/pictures

format:
	@scripts/setup.sh test
	@.venv/bin/ruff check --quiet --fix-only .
	@.venv/bin/ruff format --quiet .

clean:
	@rm -rf .venv .mypy_cache .pytest_cache .ruff_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: help serve stack test test-models gpu-check test-clients trials lock audit release-check lint pictures format clean
