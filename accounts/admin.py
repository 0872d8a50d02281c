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

RIGHTS = ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")


class NewUserForm(AdminUserCreationForm):
    def clean_email(self) -> str:
        return self.cleaned_data["email"].lower()


class ReasonForm(ActionForm):
    reason = forms.CharField(required=False, max_length=REASON_LENGTH, label="Reason, for approve and reject:")


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
        ("Standing", {"fields": ("status", "decided_by", "decided_at", "decision_reason")}),
        ("Rights", {"fields": RIGHTS}),
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
        except DecisionError as refused:
            self.message_user(request, str(refused), messages.ERROR)
        else:
            self.message_user(request, f"Decided over {len(decision.before)} accounts.", messages.SUCCESS)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if change and "is_active" in form.changed_data:
            transaction.on_commit(lambda: status_changed.send_robust(User, user=obj))

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        obj.close_account()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user in queryset:
            user.close_account()

    # Nobody takes away their own rights, so an administrator always remains; only a superuser gives or takes those of
    # others, and touches another superuser at all.

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        decided = ("status", "decided_by", "decided_at", "decision_reason", "date_joined", "last_login")
        may_change_rights = request.user.is_superuser and obj != request.user
        return decided if may_change_rights else (*decided, *RIGHTS)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and not _is_above(obj, request.user)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        may = super().has_delete_permission(request, obj)
        return may and obj != request.user and not _is_above(obj, request.user)


def _is_above(obj: Any, user: Any) -> bool:
    return obj is not None and obj.is_superuser and not user.is_superuser


@admin.register(DecisionEntry)
class DecisionEntryAdmin(admin.ModelAdmin):
    """To be read: what was decided is not changed afterwards."""

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
