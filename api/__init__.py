"""`/api/v1/`: what a page can do, for programs. A file for each thing there is, and one for each that all of them have:
problems, pages, ETags, idempotency keys, rates."""
