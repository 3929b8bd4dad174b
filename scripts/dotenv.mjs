// The form of .dev.vars, read as wrangler reads it (the dotenv package's rules), so that a file means the same under
// `wrangler dev` and under scripts/serve.mjs. Where dotenv skips what it cannot read, this refuses it by line number.
import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, linkSync, openSync, unlinkSync, writeSync } from 'node:fs';

// One assignment: optional `export`, name, `=`, then a value quoted by ' " or ` (which may span lines) or bare up to `#`.
const ASSIGNMENT =
  /[ \t]*(?:export[ \t]+)?([\w.-]+)[ \t]*=[ \t]*('(?:\\'|[^'])*'|"(?:\\"|[^"])*"|`(?:\\`|[^`])*`|[^#'"`\n][^#\n]*)?[ \t]*(?:#[^\n]*)?(?:\n|$)/y;
const NOTHING = /[ \t]*(?:#[^\n]*)?(?:\n|$)/y;

/** Parses `text` into a Map. Throws an Error that names the line, never its content: it may be a secret. */
export function parseDotenv(text) {
  const source = text.replace(/^\uFEFF/, '').replace(/\r\n?/g, '\n');
  const values = new Map();
  let at = 0;
  while (at < source.length) {
    NOTHING.lastIndex = at;
    ASSIGNMENT.lastIndex = at;
    if (NOTHING.test(source)) {
      at = NOTHING.lastIndex;
      continue;
    }
    const match = ASSIGNMENT.exec(source);
    if (match === null) {
      const line = source.slice(0, at).split('\n').length;
      throw new Error(`line ${line} is not NAME="value", or its quote is not closed`);
    }
    values.set(match[1], unquote((match[2] ?? '').trim()));
    at = ASSIGNMENT.lastIndex;
  }
  return values;
}

function unquote(value) {
  const quote = value[0];
  if (value.length < 2 || !['"', "'", '`'].includes(quote) || !value.endsWith(quote)) {
    return value;
  }
  const inner = value.slice(1, -1);
  return quote === '"' ? inner.replace(/\\n/g, '\n').replace(/\\r/g, '\r') : inner;
}

/** Creates `path` with mode 0600 and all of `text`, or not at all. Returns false where it existed already. */
export function createPrivateFile(path, text) {
  const aside = `${path}.${randomBytes(6).toString('hex')}`;
  const file = openSync(aside, 'wx', 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  try {
    // A link, unlike a rename, never replaces what somebody else made meanwhile.
    linkSync(aside, path);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') {
      return false;
    }
    throw error;
  } finally {
    unlinkSync(aside);
  }
}
