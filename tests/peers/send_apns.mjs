// Sends the banners of banners.json with @parse/node-apn.
//
//   node send_apns.mjs <authority> <CA file> <.p8 file>
//
// Each notification gets the apns-id that stdin's JSON object gives for its name.

import apn from '@parse/node-apn';
import { readFileSync } from 'node:fs';

const [authority, caFile, keyFile] = process.argv.slice(2);
const ids = JSON.parse(readFileSync(0, 'utf8'));
const banners = JSON.parse(readFileSync(new URL('./banners.json', import.meta.url), 'utf8'));

const provider = new apn.Provider({
  token: { key: keyFile, keyId: 'ABC123DEFG', teamId: 'DEF123GHIJ' },
  ca: caFile,
  address: authority,
  port: Number(authority.split(':')[1]),
});
let failed = [];
for (const { name, push, node_apn: properties } of banners) {
  const notification = new apn.Notification({ ...properties, id: ids[name] });
  const result = await provider.send(notification, push.registration_id);
  failed = failed.concat(result.failed);
}
await provider.shutdown();
if (failed.length) {
  console.error(failed);
  process.exit(1);
}
process.exit(0);
