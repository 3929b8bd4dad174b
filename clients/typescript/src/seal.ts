// Opening sealed responses (docs/FORMATS.md, "Sealed response"): version 4, and version 3 of an older service.
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js';
import { gcm } from '@noble/ciphers/aes.js';
import { hkdf } from '@noble/hashes/hkdf.js';
import { pbkdf2Async } from '@noble/hashes/pbkdf2.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { SealError } from './errors.js';

const INFO_V4 = utf8ToBytes('user-api/sealed-response/v4');
const ROUNDS_V3 = 100_000;

/** What a response was sent with; version 4 is bound to it. */
export interface Frame {
  readonly status: number;
  /** `X-Request-Id` of the response; where it is known it must be that of the document. */
  readonly requestId?: string | undefined;
}

type Document = Readonly<Record<string, unknown>>;

/** Whether it is a sealed document of any version. */
export function isSealed(value: unknown): value is Document {
  return typeof value === 'object' && value !== null && (value as Document)['encrypted'] === true;
}

function text(document: Document, name: string): string {
  const value = document[name];
  if (typeof value !== 'string') {
    throw new SealError(`the sealed response has no ${name}`);
  }
  return value;
}

function bytes(document: Document, name: string, length?: number): Uint8Array {
  const encoded = text(document, name);
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(encoded)) {
    throw new SealError(`${name} of the sealed response is not base64`);
  }
  const decoded = Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0));
  if (length !== undefined && decoded.length !== length) {
    throw new SealError(`${name} of the sealed response has ${decoded.length} bytes, not ${length}`);
  }
  return decoded;
}

function expect(document: Document, name: string, value: unknown): void {
  if (document[name] !== value) {
    throw new SealError(`${name} of the sealed response is not ${String(value)}`);
  }
}

function open(decrypt: () => Uint8Array): string {
  let plain;
  try {
    plain = decrypt();
  } catch (cause) {
    throw new SealError('the response was sealed for another credential, or was changed on its way', { cause });
  }
  return new TextDecoder('utf-8', { fatal: true }).decode(plain);
}

function openV4(document: Document, credential: string, frame: Frame): string {
  expect(document, 'algorithm', 'XChaCha20-Poly1305');
  expect(document, 'kdf', 'HKDF-SHA256');
  const requestId = text(document, 'requestId');
  if (frame.requestId !== undefined && frame.requestId !== requestId) {
    throw new SealError('the sealed response belongs to another request');
  }
  const key = hkdf(sha256, utf8ToBytes(credential), bytes(document, 'salt', 32), INFO_V4, 32);
  const bound = utf8ToBytes(`v4|${frame.status}|${text(document, 'contentType')}|${requestId}`);
  const data = bytes(document, 'data');
  return open(() => xchacha20poly1305(key, bytes(document, 'nonce', 24), bound).decrypt(data));
}

async function openV3(document: Document, credential: string): Promise<string> {
  expect(document, 'algorithm', 'AES-GCM-256');
  if (text(document, 'tokenHash') !== bytesToHex(sha256(utf8ToBytes(credential)))) {
    throw new SealError('the response was sealed for another credential');
  }
  const salt = bytes(document, 'salt', 16);
  const key = await pbkdf2Async(sha256, utf8ToBytes(credential), salt, { c: ROUNDS_V3, dkLen: 32 });
  const data = bytes(document, 'data');
  return open(() => gcm(key, bytes(document, 'iv', 12)).decrypt(data));
}

/**
 * The text that was sealed for this credential: the compact token, or the API key. Throws a SealError for another
 * credential, another request or status, changed bytes or an unknown form.
 */
export async function openSealed(document: unknown, credential: string, frame: Frame): Promise<string> {
  if (!isSealed(document)) {
    throw new SealError('this is no sealed response');
  }
  switch (document['version']) {
    case 4:
      return openV4(document, credential, frame);
    case 3:
      return openV3(document, credential);
    default:
      throw new SealError(`sealed responses of version ${String(document['version'])} are not known`);
  }
}

/** Whether it is a sealed document of an older service, which marks it in no header. */
export function isOlderSealed(value: unknown): value is Document {
  return isSealed(value) && value['version'] === 3;
}

const LINES = 'application/x-ndjson';

/**
 * The lines that were sealed for this credential, part by part. Throws a SealError where a part is missing, stands in
 * another place or does not open, and where the end is missing.
 */
export async function openSealedLines(sealed: string, credential: string, frame: Frame): Promise<string> {
  const lines = sealed.split('\n').filter((line) => line !== '');
  const last = lines.length - 1;
  let text = '';
  for (const [number, line] of lines.entries()) {
    let document: unknown;
    try {
      document = JSON.parse(line);
    } catch (cause) {
      throw new SealError('a part of the sealed lines is not JSON', { cause });
    }
    const place = `${LINES};${number === last ? 'parts' : 'part'}=${number}`;
    if (!isSealed(document) || document['version'] !== 4 || document['contentType'] !== place) {
      throw new SealError('the sealed lines are not whole, or not in their order');
    }
    text += await openSealed(document, credential, frame);
  }
  if (last < 0) {
    throw new SealError('the sealed lines are not whole, or not in their order');
  }
  return text;
}

/** A customer, whether it comes bare or in the wrapper `{success, customer}` of an older service. */
export function unwrapCustomer<T = unknown>(value: unknown): T {
  const wrapped = value as { success?: unknown; customer?: unknown } | null;
  const isWrapped =
    typeof value === 'object' && typeof wrapped?.success === 'boolean' && typeof wrapped.customer === 'object';
  return (isWrapped ? wrapped.customer : value) as T;
}
