#!/bin/sh
# Fails on words that this project does not use, because the field has better ones (docs/architecture.md, Glossary):
# identifiers, docstrings, texts, templates and tests. A line that quotes speech may have them if it ends with
# "words: quoted".
set -u
cd "$(dirname "$0")/.." || exit

found=$(git grep -nIiE '(^|[^a-z])(whoever|nobody|somebody|told|heard|wishes|anew)([^a-z]|$)' -- \
    accounts api dsm_site inference operations speech webhooks templates static/js static/css deploy docs scripts \
    tests benchmarks ':!tests/vendor' ':!benchmarks/results' \
    dsm.py Makefile README.md .env.example compose.yaml ':!scripts/words.sh' | grep -v 'words: quoted')
if [ -n "$found" ]; then
    echo "$found"
    echo "These words are not used here: see the glossary in docs/architecture.md." >&2
    exit 1
fi
