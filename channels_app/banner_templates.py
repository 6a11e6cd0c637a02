"""Banner templates, each in one language: what can be translated beforehand is.

Django looks every text of a template up again for each rendering, and that is most of what a
rendering costs. The texts of a language do not change, so a template is parsed once for each
language, and its `translate` and `blocktranslate` tags give way to nodes that know their text. What
they say is what Django's own would say, but for one thing: somebody's words inside the sentence
are isolated where they may run in another direction.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from typing import Any, cast

from django.template import Context, Node, NodeList, Template, engines
from django.template.backends.django import DjangoTemplates
from django.template.base import (
    FilterExpression,
    TextNode,
    Variable,
    VariableNode,
    render_value_in_context,
)
from django.template.defaulttags import IfNode
from django.templatetags.i18n import BlockTranslateNode, TranslateNode
from django.utils import translation
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext, npgettext, pgettext

from channels_app.bidi import isolate


@dataclass(frozen=True, slots=True)
class Translated:
    """A template in one language, to be rendered while that is active, and only then."""

    template: Template
    right_to_left: bool


@cache
def in_language(name: str, language: str) -> Translated:
    """The template of a file, in a language of the settings.

    Raises:
        django.template.TemplateDoesNotExist
    """
    engine = cast(DjangoTemplates, engines["banners"]).engine
    source, _ = engine.find_template(name)
    # Parsed anew: the engine keeps its own, and gives the same one to everybody.
    template = Template(source.source, origin=source.origin, name=name, engine=engine)
    with translation.override(language):
        right_to_left = translation.get_language_bidi()
        _translate(template.nodelist, right_to_left=right_to_left)
    return Translated(template, right_to_left)


def _translate(nodes: NodeList, *, right_to_left: bool) -> None:
    """Put the nodes of the active language in the place of Django's, at every depth."""
    for place, node in enumerate(nodes):
        for children in _children(node):
            _translate(children, right_to_left=right_to_left)
        nodes[place] = _translated(node, right_to_left=right_to_left)
        # Where it stands: Django's error messages say so.
        nodes[place].token, nodes[place].origin = node.token, node.origin


def _translated(node: Node, *, right_to_left: bool) -> Node:
    match node:
        case TranslateNode() if _is_constant(node):
            return TextNode(node.render(Context()))
        case BlockTranslateNode():
            return _Sentence(node, right_to_left=right_to_left)
        case VariableNode():
            return _Shown(node.filter_expression, right_to_left=right_to_left)
        case _:
            return node


def _children(node: Node) -> Iterator[NodeList]:
    if isinstance(node, IfNode):  # whose `nodelist` is a copy, made whenever one asks
        yield from (nodelist for _, nodelist in node.conditions_nodelists)
        return
    for name in node.child_nodelists:
        children = getattr(node, name, None)
        if isinstance(children, NodeList):
            yield children


def _is_constant(node: TranslateNode) -> bool:
    said = node.filter_expression.var
    return node.asvar is None and isinstance(said, Variable) and said.literal is not None


def _show(value: Any, context: Context, *, right_to_left: bool) -> str:
    match value:
        case SafeString():  # words of ours: a filter's, a digest's, or by way of `asvar`
            return value
        case str():
            return isolate(value, right_to_left=right_to_left)
        case _:
            return render_value_in_context(value, context)


class _Shown(Node):
    """`{{ variable }}`"""

    def __init__(self, value: FilterExpression, *, right_to_left: bool) -> None:
        self._value = value
        self._right_to_left = right_to_left

    def render(self, context: Context) -> SafeString:
        shown = _show(self._value.resolve(context), context, right_to_left=self._right_to_left)
        return SafeString(shown)


class _Sentence(Node):
    """`{% blocktranslate %}`"""

    def __init__(self, block: BlockTranslateNode, *, right_to_left: bool) -> None:
        self._right_to_left = right_to_left
        self._asvar = block.asvar
        self._values: Mapping[str, FilterExpression] = block.extra_context
        self._counter: FilterExpression | None = block.counter
        self._countervar = block.countervar or ""
        context = block.message_context.resolve(Context()) if block.message_context else None
        one, names = block.render_token_list(block.singular)
        if self._counter is None:
            self._text = pgettext(context, one) if context else gettext(one)
        else:
            many, more = block.render_token_list(block.plural)
            names += more
            # A node speaks one language, so that the form for a number is always the same.
            self._form = lru_cache(maxsize=256)(
                partial(npgettext, context, one, many) if context else partial(ngettext, one, many)
            )
        known = {*self._values, self._countervar}
        self._others = [name for name in names if name not in known]

    def render(self, context: Context) -> SafeString:
        shown = {
            name: self._show(value.resolve(context), context)
            for name, value in self._values.items()
        }
        for name in self._others:
            shown[name] = self._show(context.get(name, ""), context)
        if self._counter is None:
            text = self._text
        else:
            count = self._counter.resolve(context)
            shown[self._countervar] = self._show(count, context)
            text = self._form(count)
        said = SafeString(text % shown)
        if self._asvar:
            context[self._asvar] = said
            return SafeString()
        return said

    def _show(self, value: Any, context: Context) -> str:
        return _show(value, context, right_to_left=self._right_to_left)
