from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("chatbot", "0004_retries_and_wide_counters")]

    operations = [migrations.RenameField("installation", "created_at", "registered_at")]
