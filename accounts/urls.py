from django.urls import path

from accounts import closing, token_views, views

urlpatterns = [
    path("standing/", views.standing, name="standing"),
    path("standing.json", views.standing_json, name="standing_json"),
    path("close/", closing.close_account, name="close_account"),
    path("approvals/", views.approvals, name="approvals"),
    path("approvals/undo/", views.take_back, name="approvals_undo"),
    path("tokens/", token_views.tokens, name="tokens"),
    path("tokens/<uuid:pk>/revoke/", token_views.revoke, name="token_revoke"),
]
