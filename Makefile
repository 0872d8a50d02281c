# HOST, PORT, DATA_DIR and every other variable of .env.example may be given: make serve PORT=9000

help:
	@echo "make serve          install what is missing, migrate, and start the site"
	@echo "make test           install what tests need, and run them"
	@echo "make stack          Redis, PostgreSQL, two web and two inference processes, to try things on"
	@echo "make lint           the style and the types"
	@echo "make trials         what takes longer: real speech into real browsers, parts that die, files of hours (half an hour)"
	@echo "make release-check  what a release needs"
	@echo "make pictures       look at every page, in var/pictures"
	@echo "make format         put the code into the project's format"
	@echo "make clean          remove .venv and caches; data is kept"

serve:
	@scripts/setup.sh serve
	@exec .venv/bin/python manage.py serve

test:
	@scripts/setup.sh test
	@scripts/programs.sh
	@scripts/test.sh

trials:
	@scripts/setup.sh trials
	@scripts/programs.sh
	@scripts/test.sh slow

lint:
	@scripts/setup.sh test
	@.venv/bin/ruff check --quiet .
	@.venv/bin/ruff format --check --quiet .
	@.venv/bin/mypy

release-check:
	@scripts/setup.sh release
	@scripts/programs.sh
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

.PHONY: help serve stack test trials release-check lint pictures format clean
