from django.urls import path

from accounts.approvals import decision_log, views
from accounts.profile import account_deletion, profile, tokens
from accounts.signup import invitations

urlpatterns = [
    path("", profile.profile, name="profile"),
    path("standing/", views.standing, name="standing"),
    path("standing.json", views.standing_json, name="standing_json"),
    path("close/", account_deletion.close_account, name="close_account"),
    path("approvals/", views.approvals, name="approvals"),
    path("approvals/undo/", views.take_back, name="approvals_undo"),
    path("approvals/decisions/", decision_log.decisions, name="decisions"),
    path("invitations/", invitations.invitations, name="invitations"),
    path("invitations/<int:pk>/revoke/", invitations.revoke, name="invitation_revoke"),
    path("invited/<str:secret>/", invitations.come, name="invited"),
    path("tokens/", tokens.tokens, name="tokens"),
    path("tokens/<uuid:pk>/revoke/", tokens.revoke, name="token_revoke"),
]
