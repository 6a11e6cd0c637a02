"""`durations` for banner templates."""

from django import template

from channels_app import durations

register = template.Library()
register.filter("exact_duration", durations.exact)
register.filter("rough_duration", durations.rough)
