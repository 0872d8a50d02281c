"""Pagination of lists."""

from rest_framework.pagination import PageNumberPagination


class Pagination(PageNumberPagination):
    page_size = 50
    page_size_query_param = "per_page"
    max_page_size = 200


class WordPagination(Pagination):
    max_page_size = 5_000  # half an hour of speech
