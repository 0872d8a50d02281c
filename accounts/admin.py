from typing import Any

from allauth.account.decorators import secure_admin_login
from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.credentials.user_request import UserRequest
from accounts.models import REASON_LENGTH, DecisionEntry, DecisionError, User
from accounts.models.approval_state import Decision
from accounts.models.signals import status_changed

admin.site.site_header = admin.site.site_title = settings.SITE_NAME
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]  # allauth's, with its rate limits

PERMISSION_FIELDS = ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")


class NewUserForm(AdminUserCreationForm):
    def clean_email(self) -> str:
        return self.cleaned_data["email"].lower()


class ReasonForm(ActionForm):
    reason = forms.CharField(required=False, max_length=REASON_LENGTH, label="Reason (approve and reject):")


@admin.register(User)
class UserAdmin(DjangoUserAdmin):
    add_form = NewUserForm
    action_form = ReasonForm
    ordering = ("-date_joined",)
    list_display = ("email", "status", "is_staff", "date_joined", "decided_by", "decided_at", "decision_reason")
    list_filter = ("status", "is_staff", "is_active")
    list_select_related = ("decided_by",)
    search_fields = ("email",)
    actions = ("approve", "reject")
    fieldsets = (
        (None, {"fields": ("email", "password")}),
        ("Approval", {"fields": ("status", "decided_by", "decided_at", "decision_reason")}),
        ("Permissions", {"fields": PERMISSION_FIELDS}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "usable_password", "password1", "password2")}),)

    @admin.action(description="Approve", permissions=["change"])
    def approve(self, request: UserRequest, users: QuerySet[User]) -> None:
        self._decide(request, users, "approve")

    @admin.action(description="Reject", permissions=["change"])
    def reject(self, request: UserRequest, users: QuerySet[User]) -> None:
        self._decide(request, users, "reject")

    def _decide(self, request: UserRequest, users: QuerySet[User], verb: str) -> None:
        try:
            decision: Decision = getattr(users, verb)(request.user, request.POST.get("reason", ""))
        except DecisionError as error:
            self.message_user(request, str(error), messages.ERROR)
        else:
            self.message_user(request, f"{len(decision.before)} accounts updated.", messages.SUCCESS)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if change and "is_active" in form.changed_data:
            transaction.on_commit(lambda: status_changed.send_robust(User, user=obj))

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        obj.close_account()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user in queryset:
            user.close_account()

    # Administrators cannot remove their own permissions, so one always remains. Only a superuser can change the
    # permissions of others or edit another superuser.

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        read_only = ("status", "decided_by", "decided_at", "decision_reason", "date_joined", "last_login")
        can_change_permissions = request.user.is_superuser and obj != request.user
        return read_only if can_change_permissions else (*read_only, *PERMISSION_FIELDS)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and not _outranks(obj, request.user)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        is_allowed = super().has_delete_permission(request, obj)
        return is_allowed and obj != request.user and not _outranks(obj, request.user)


def _outranks(obj: Any, user: Any) -> bool:
    return obj is not None and obj.is_superuser and not user.is_superuser


@admin.register(DecisionEntry)
class DecisionEntryAdmin(admin.ModelAdmin):
    """Read-only view of the approval log."""

    list_display = ("at", "email", "status", "is_undo", "by_email", "reason")
    list_filter = ("status",)
    search_fields = ("email", "by_email")
    date_hierarchy = "at"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
