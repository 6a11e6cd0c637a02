"""The base classes of every page of the admin: who sees which rows, and who may change them."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar

from django.contrib.admin import ShowFacets
from django.db.models import ForeignKey, QuerySet
from django.forms import ModelChoiceField, ModelForm
from django.http import HttpRequest

from channels_app.admin import scope
from channels_app.admin.unfolded import M, P, RowList, RowPaginator, UnfoldAdmin, UnfoldInline


class Scoped:
    """Foreign keys offer only what their reader may see, in forms and in their validation."""

    admin_site: Any

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> ModelChoiceField[Any] | None:
        related = self.admin_site._registry.get(db_field.remote_field.model)
        if related is not None:
            kwargs.setdefault("queryset", related.get_queryset(request))
        field: ModelChoiceField[Any] | None = super().formfield_for_foreignkey(  # type: ignore[misc]
            db_field, request, **kwargs
        )
        return field


class UncountedList(RowList):
    """Offers to "show all" only where something was left out; that needs no count of all rows."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if not self.query and not self.has_active_filters:
            self.full_result_count = self.result_count


class OrganizationScopedAdmin(Scoped, UnfoldAdmin[M]):
    """Shows a reader only the rows of organizations in which they are an active member.

    A subclass names the way from its row to the organization, or to the person whom it belongs to;
    one that names neither is for superusers only.
    """

    organization_path: ClassVar[str] = ""
    person_path: ClassVar[str] = ""
    # What may be chosen once, when a row is made: to move it would take its history along.
    fixed_fields: ClassVar[tuple[str, ...]] = ()

    show_full_result_count = False
    # Counting every choice of every filter reads a whole table for each.
    show_facets = ShowFacets.NEVER
    list_per_page = 50
    list_fullwidth = True
    empty_value_display = "–"
    # Labels above their values: beside them they leave no room for a point in time.
    compressed_fields = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[M]:
        rows = super().get_queryset(request)
        return scope.within(
            rows,
            user=request.user,
            organization=self.organization_path,
            person=self.person_path,
        )

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Who has one organization need not choose it."""
        initial: dict[str, Any] = dict(super().get_changeform_initial_data(request))
        own = scope.of_request(request).values_list("pk", flat=True)[:2]
        return {"organization": own[0], **initial} if len(own) == 1 else initial

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[RowList]:
        return UncountedList

    def get_readonly_fields(self, request: HttpRequest, obj: M | None = None) -> Any:
        fields = super().get_readonly_fields(request, obj)
        return (*fields, *self.fixed_fields) if obj else fields

    def save_model(self, request: HttpRequest, obj: M, form: ModelForm[M], change: bool) -> None:
        """Write what the form changed and nothing else: a worker may have changed the rest."""
        if not change:
            super().save_model(request, obj, form, change)
            return
        own = {field.name for field in obj._meta.concrete_fields}
        obj.save(update_fields=own.intersection(form.changed_data))


class NoAddition:
    """Rows come into being elsewhere: by a webhook, an app, or a decision."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class NoDeletion:
    """Rows are kept: they are the proof of what was done, or others point to them."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnly(NoAddition, NoDeletion):
    """Nobody changes these rows by hand, superusers included; so there is no history to show."""

    actions_detail_hide_default = True

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class SuperuserOnly:
    """Concerns all organizations at once."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    has_add_permission = has_view_permission
    has_change_permission = has_view_permission
    has_delete_permission = has_view_permission


class CappedPaginator(RowPaginator[M]):
    """Counts no further than `CAP`: counting a big table reads all of it."""

    CAP = 10_000

    @cached_property
    def count(self) -> int:
        rows = self.object_list
        assert isinstance(rows, QuerySet)
        return rows.order_by()[: self.CAP].count()


class BigTable(OrganizationScopedAdmin[M]):
    """A list that stays quick however long it grows: newest first, by the primary key."""

    paginator = CappedPaginator
    ordering = ("-pk",)
    sortable_by = ()
    list_max_show_all = 0
    list_after_template = "admin/capped.html"


class ScopedInline(Scoped, UnfoldInline[P, M]):
    """Rows within a page, under the same rule as the page itself."""

    organization_path: ClassVar[str] = ""
    person_path: ClassVar[str] = ""
    extra = 0
    ordering = ("pk",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[P]:
        rows = super().get_queryset(request)
        return scope.within(
            rows,
            user=request.user,
            organization=self.organization_path,
            person=self.person_path,
        )


class ReadOnlyInline(ReadOnly, ScopedInline[P, M]):
    """Rows to look at; each is opened on its own page."""

    per_page = 25
    show_change_link = False
    can_delete = False
    max_num = 0
