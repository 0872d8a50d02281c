from django.urls import path

from accounts import closing, decisions, invitation_views, invited, profile, token_views, views

urlpatterns = [
    path("", profile.profile, name="profile"),
    path("standing/", views.standing, name="standing"),
    path("standing.json", views.standing_json, name="standing_json"),
    path("close/", closing.close_account, name="close_account"),
    path("approvals/", views.approvals, name="approvals"),
    path("approvals/undo/", views.take_back, name="approvals_undo"),
    path("approvals/decisions/", decisions.decisions, name="decisions"),
    path("invitations/", invitation_views.invitations, name="invitations"),
    path("invitations/<int:pk>/revoke/", invitation_views.revoke, name="invitation_revoke"),
    path("invited/<str:secret>/", invited.come, name="invited"),
    path("tokens/", token_views.tokens, name="tokens"),
    path("tokens/<uuid:pk>/revoke/", token_views.revoke, name="token_revoke"),
]
