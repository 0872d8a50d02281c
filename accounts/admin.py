"""Django's admin: accounts, the approval log, second factors and groups.

The models of other apps know nothing of the rules of `accounts.authority`, so this file registers them itself, with the
rules, or not at all.
"""

from typing import Any, cast

from allauth.account import admin as allauth_admin  # noqa: F401  (registers its models, so that they can be removed below)
from allauth.account.decorators import secure_admin_login
from allauth.account.models import EmailAddress
from allauth.mfa import admin as mfa_admin  # noqa: F401
from allauth.mfa.base.internal.flows import delete_dangling_recovery_codes
from allauth.mfa.models import Authenticator
from allauth.usersessions import admin as usersessions_admin  # noqa: F401
from allauth.usersessions.models import UserSession
from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from accounts import authority, email_addresses
from accounts.credentials.user_request import UserRequest
from accounts.models import REASON_LENGTH, DecisionEntry, DecisionError, User
from accounts.models.approval_state import Decision
from accounts.models.signals import status_changed


def _change_own_password(request: HttpRequest, extra_context: Any = None) -> HttpResponse:
    return redirect("account_change_password")


admin.site.site_header = admin.site.site_title = settings.SITE_NAME
# allauth's pages, with their rate limits.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
admin.site.password_change = _change_own_password  # type: ignore[method-assign, assignment]

# An address changes on the user's own page or that of the account; a web session's key lets its reader use the session.
admin.site.unregister([EmailAddress, UserSession, Authenticator, Group])

PERMISSION_FIELDS = ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")


class NewUserForm(AdminUserCreationForm):
    def clean_email(self) -> str:
        return self.cleaned_data["email"].lower()


class UserForm(UserChangeForm):
    def clean_email(self) -> str:
        return self.cleaned_data["email"].lower()


class ReasonForm(ActionForm):
    reason = forms.CharField(required=False, max_length=REASON_LENGTH, label="Reason (approve and reject):")


@admin.register(User)
class UserAdmin(DjangoUserAdmin):
    form = UserForm
    add_form = NewUserForm
    action_form = ReasonForm
    ordering = ("-date_joined",)
    list_display = ("email", "status", "is_staff", "date_joined", "decided_by", "decided_at", "decision_reason")
    list_filter = ("status", "is_staff", "is_active")
    list_select_related = ("decided_by",)
    search_fields = ("email",)
    actions = ("approve", "reject", "confirm_address")
    fieldsets = (
        (None, {"fields": ("email", "is_address_confirmed", "password")}),
        ("Approval", {"fields": ("status", "decided_by", "decided_at", "decision_reason")}),
        ("Permissions", {"fields": PERMISSION_FIELDS}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "usable_password", "password1", "password2")}),)

    @admin.display(description="Email confirmed", boolean=True)
    def is_address_confirmed(self, user: User) -> bool:
        return email_addresses.has_confirmed_address(user)

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

    @admin.action(description="Mark email address as confirmed", permissions=["change"])
    def confirm_address(self, request: UserRequest, users: QuerySet[User]) -> None:
        if not all(authority.can_control(request.user, user) for user in users):
            why = "Nothing changed: at least one of the accounts isn't below yours. Ask a superuser."
            self.message_user(request, why, messages.ERROR)
            return
        for user in users:
            email_addresses.confirm_address(user)
            self.log_change(request, user, f"Marked {user.email} as confirmed.")
        self.message_user(request, f"{len(users)} addresses marked as confirmed.", messages.SUCCESS)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        new_email = obj.email
        if change:
            obj.email = form.initial["email"]
        super().save_model(request, obj, form, change)
        if new_email != obj.email:
            email_addresses.change_address(obj, new_email, cast(User, request.user), is_proven=False)
        if change and "is_active" in form.changed_data:
            transaction.on_commit(lambda: status_changed.send_robust(User, user=obj))

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        obj.close_account()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user in queryset:
            user.close_account()

    # Administrators cannot remove their own permissions, so one always remains. Only a superuser can change the
    # permissions of others.

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        read_only = (
            *("is_address_confirmed", "status", "decided_by", "decided_at", "decision_reason"),
            *("date_joined", "last_login"),
        )
        can_change_permissions = request.user.is_superuser and obj != request.user
        return read_only if can_change_permissions else (*read_only, *PERMISSION_FIELDS)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and _can_control(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and obj != request.user and _can_control(request, obj)


def _can_control(request: HttpRequest, user: User | None) -> bool:
    """Whether the administrator may act on this account. True without one: Django asks for each account again."""
    return user is None or authority.can_control(cast(User, request.user), user)


class ReadOnlyAdmin(admin.ModelAdmin):
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(DecisionEntry)
class DecisionEntryAdmin(ReadOnlyAdmin):
    """Read-only view of the approval log."""

    list_display = ("at", "email", "status", "is_undo", "new_email", "by_email", "reason")
    list_filter = ("status",)
    search_fields = ("email", "new_email", "by_email")
    date_hierarchy = "at"


@admin.register(Authenticator)
class AuthenticatorAdmin(ReadOnlyAdmin):
    """Second factors. One can be removed, for a user who has lost it; its secret is never shown or searched."""

    list_display = ("user", "type", "created_at", "last_used_at")
    list_filter = ("type",)
    list_select_related = ("user",)
    search_fields = ("user__email",)
    fields = list_display

    def delete_model(self, request: HttpRequest, obj: Authenticator) -> None:
        obj.delete()
        delete_dangling_recovery_codes(obj.user)  # they alone would still be asked for

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Authenticator]) -> None:
        for factor in queryset.select_related("user"):
            self.delete_model(request, factor)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return not lookup.startswith("data") and super().lookup_allowed(lookup, value, request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        is_allowed = admin.ModelAdmin.has_delete_permission(self, request, obj)
        return is_allowed and _can_control(request, obj and obj.user)


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin):
    """Groups, for superusers only: an administrator could add permissions to a group that they are in."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_superuser

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_superuser

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_superuser
