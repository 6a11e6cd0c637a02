from django.apps import AppConfig


class ChannelsConfig(AppConfig):
    """The bridge. Its label makes the permission literally `chatbot.respond`."""

    name = "channels_app"
    label = "chatbot"
    verbose_name = "Chatbot pushes"
