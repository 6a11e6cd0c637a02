// Signs each message of stdin's JSON list with standardwebhooks and with svix, and prints the
// list with the signatures of both.

import { readFileSync } from 'node:fs';
import { Webhook as StandardWebhook } from 'standardwebhooks';
import { Webhook as SvixWebhook } from 'svix';

const messages = JSON.parse(readFileSync(0, 'utf8'));
const signed = messages.map(({ name, secret, id, timestamp, body }) => ({
  name,
  secret,
  id,
  timestamp,
  body,
  standardwebhooks: new StandardWebhook(secret).sign(id, new Date(timestamp * 1000), body),
  svix: new SvixWebhook(secret).sign(id, new Date(timestamp * 1000), body),
}));
process.stdout.write(JSON.stringify(signed, null, 2) + '\n');
