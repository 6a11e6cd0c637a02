"""django-unfold as the type checker should see it: it ships no types, what it extends has some.

Django's own classes are generic for the type checker only; those below are so at run time as well.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from django.db.models import Model

M = TypeVar("M", bound=Model)
P = TypeVar("P", bound=Model)
F = TypeVar("F", bound=Callable[..., Any])

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin as UnfoldAdmin
    from django.contrib.admin import TabularInline as UnfoldInline
    from django.contrib.admin.views.main import ChangeList as RowList
    from django.contrib.admin.widgets import AdminTextareaWidget as TextBlock
    from django.contrib.admin.widgets import AdminTextInputWidget as TextLine
    from django.contrib.auth.admin import UserAdmin as PersonAdmin
    from django.contrib.auth.forms import AdminPasswordChangeForm as PasswordForm
    from django.contrib.auth.forms import AdminUserCreationForm as UserAdditionForm
    from django.contrib.auth.forms import UserChangeForm
    from django.core.paginator import Paginator as RowPaginator
    from django.forms import BaseInlineFormSet as RowFormSet
    from django.forms import CheckboxInput as Switch
    from django.forms import CheckboxSelectMultiple as Checkboxes
    from django.forms import Form as DialogForm
    from django.forms import ModelForm as RowForm
    from django.forms import ModelMultipleChoiceField
    from django.forms import Select as OneChoice
    from django.forms import SelectMultiple as ManyChoices

    from channels_app.models import User

    UserForm = UserChangeForm[User]
    RowChoices = ModelMultipleChoiceField[Any]

    def action(
        *,
        description: str,
        permissions: Sequence[str],
        url_path: str,
        icon: str,
        dialog: Mapping[str, object] | None = None,
    ) -> Callable[[F], F]: ...
else:
    from django import forms
    from django.contrib.auth import admin as auth_admin
    from django.core import paginator
    from unfold import admin, decorators
    from unfold.forms import AdminPasswordChangeForm as PasswordForm
    from unfold.forms import BaseDialogForm as DialogForm
    from unfold.forms import PaginationInlineFormSet
    from unfold.forms import UserChangeForm as UserForm
    from unfold.forms import UserCreationForm as UserAdditionForm
    from unfold.views import ChangeList as RowList
    from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget as Checkboxes
    from unfold.widgets import UnfoldAdminSelect2MultipleWidget as ManyChoices
    from unfold.widgets import UnfoldAdminSelectWidget as OneChoice
    from unfold.widgets import UnfoldAdminTextareaWidget as TextBlock
    from unfold.widgets import UnfoldAdminTextInputWidget as TextLine
    from unfold.widgets import UnfoldBooleanSwitchWidget as Switch

    action = decorators.action
    RowChoices = forms.ModelMultipleChoiceField

    class UnfoldAdmin(admin.ModelAdmin, Generic[M]):
        pass

    class UnfoldInline(admin.TabularInline, Generic[M, P]):
        pass

    class PersonAdmin(auth_admin.UserAdmin, Generic[M]):
        pass

    class RowPaginator(paginator.Paginator, Generic[M]):
        pass

    class RowForm(forms.ModelForm, Generic[M]):
        pass

    class RowFormSet(PaginationInlineFormSet, Generic[M, P, F]):
        pass


__all__ = [
    "Checkboxes",
    "DialogForm",
    "M",
    "ManyChoices",
    "OneChoice",
    "P",
    "PasswordForm",
    "PersonAdmin",
    "RowChoices",
    "RowForm",
    "RowFormSet",
    "RowList",
    "RowPaginator",
    "Switch",
    "TextBlock",
    "TextLine",
    "UnfoldAdmin",
    "UnfoldInline",
    "UserAdditionForm",
    "UserForm",
    "action",
]
