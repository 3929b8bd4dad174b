// Makes tests/data/sealed-v4.json and sealed-lines-v4.json with @noble/ciphers and @noble/hashes: `node tests/data/make-sealed.mjs`.
// Sealed responses by an implementation that is not the service's. Salts and nonces are fixed, so it is repeatable.
import { writeFileSync } from 'node:fs';
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js';
import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';

const bytes = (text) => new TextEncoder().encode(text);
const base64 = (data) => Buffer.from(data).toString('base64');
const filled = (length, from) => Uint8Array.from({ length }, (_, index) => (from + index * 7) % 256);

function vector(index, token, status, contentType, requestId, plaintext) {
  const salt = filled(32, index);
  const nonce = filled(24, 100 + index);
  const key = hkdf(sha256, bytes(token), salt, bytes('user-api/sealed-response/v4'), 32);
  const aad = bytes(`v4|${status}|${contentType}|${requestId}`);
  const data = xchacha20poly1305(key, nonce, aad).encrypt(bytes(plaintext));
  return {
    token,
    status,
    plaintext,
    sealed: {
      version: 4,
      encrypted: true,
      algorithm: 'XChaCha20-Poly1305',
      kdf: 'HKDF-SHA256',
      salt: base64(salt),
      nonce: base64(nonce),
      contentType,
      requestId,
      data: base64(data),
    },
  };
}

const vectors = [
  vector(1, 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1c2VyXzEifQ.c2ln', 200, 'application/json', 'req_0123456789abcdef', '{"customerId":"demo","name":"Zoë ☕"}'),
  vector(2, 'uak_live_demo.AAECAwQFBgcICQoLDA0ODxAREhMUFRYX_rdSHIV', 404, 'application/problem+json', '0123456789abcdef', '{"code":"customer_not_found","status":404}'),
  vector(3, 'a.b.c', 201, 'application/json', 'req_x', ''),
];
writeFileSync(new URL('./sealed-v4.json', import.meta.url), `${JSON.stringify(vectors, null, 1)}\n`);

/** A stream of lines: some of them a part, and an empty document at the end. */
function stream(token, requestId, parts) {
  const type = (number) => `application/x-ndjson;${number === parts.length ? 'parts' : 'part'}=${number}`;
  const lines = [...parts, ''].map((text, number) => vector(number, token, 200, type(number), requestId, text).sealed);
  return { token, requestId, plaintext: parts.join(''), lines: lines.map((line) => JSON.stringify(line)) };
}

const streams = [
  stream('service-key-0123456789', 'req_0123456789abcdef', ['{"key":"a","outcome":"created"}\n{"key":"b","outcome":"merged"}\n', '{"key":"Zoë ☕","outcome":"invalid"}\n']),
  stream('service-key-0123456789', 'req_x', []),
];
writeFileSync(new URL('./sealed-lines-v4.json', import.meta.url), `${JSON.stringify(streams, null, 1)}\n`);
