from django.urls import path

from webhooks import views

urlpatterns = [
    path("", views.webhooks, name="webhooks"),
    path("<uuid:pk>/", views.webhook, name="webhook"),
    path("<uuid:pk>/test/", views.test, name="webhook_test"),
    path("<uuid:pk>/retry/", views.retry, name="webhook_retry"),
    path("<uuid:pk>/delete/", views.delete, name="webhook_delete"),
]
