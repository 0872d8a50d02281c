"""Views of the pages about sessions, one module per page; urls.py lists them."""
