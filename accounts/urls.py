from django.urls import path

from accounts.approvals import decision_log, views
from accounts.profile import account_deletion, email_address, profile, tokens
from accounts.signup import invitations

urlpatterns = [
    path("", profile.profile, name="profile"),
    # Replaces allauth's page at the same path, account_email.
    path("email/", email_address.email_address, name="email_address"),
    path("email/change/<str:key>/", email_address.change, name="email_address_change"),
    path("status/", views.status, name="approval_status"),
    path("status.json", views.status_json, name="approval_status_json"),
    path("close/", account_deletion.delete_account, name="close_account"),
    path("approvals/", views.approvals, name="approvals"),
    path("approvals/undo/", views.undo_decision, name="approvals_undo"),
    path("approvals/log/", decision_log.approval_log, name="approval_log"),
    path("invitations/", invitations.invitations, name="invitations"),
    path("invitations/<int:pk>/revoke/", invitations.revoke, name="invitation_revoke"),
    path("invited/<str:secret>/", invitations.accept, name="invited"),
    path("tokens/", tokens.tokens, name="tokens"),
    path("tokens/<uuid:pk>/revoke/", tokens.revoke, name="token_revoke"),
]
