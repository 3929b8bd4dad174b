import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { createPrivateFile, parseDotenv } from '../dotenv.mjs';

const parsed = (text) => Object.fromEntries(parseDotenv(text));

test('quotes, comments and spaces mean what they mean to dotenv', () => {
  const text = [
    '# a comment',
    '',
    'BARE= a value # with a comment',
    'export EXPORTED="x"',
    'DOUBLE="line\\nline # no comment" # comment',
    "SINGLE='a \"b\" \\n'",
    'BACKTICK=`it\'s "it"`',
    "INSIDE=it's",
    'EMPTY=',
    'SPACES="  kept  "',
    'MULTILINE="a',
    'b"',
    'COLON="k1:c2VjcmV0=="',
  ].join('\n');
  assert.deepEqual(parsed(text), {
    BARE: 'a value',
    EXPORTED: 'x',
    DOUBLE: 'line\nline # no comment',
    SINGLE: 'a "b" \\n',
    BACKTICK: 'it\'s "it"',
    INSIDE: "it's",
    EMPTY: '',
    SPACES: '  kept  ',
    MULTILINE: 'a\nb',
    COLON: 'k1:c2VjcmV0==',
  });
});

test('Windows line ends and a byte order mark change nothing', () => {
  assert.deepEqual(parsed('\uFEFFA="1"\r\nB=2\r\n'), { A: '1', B: '2' });
});

test('the last of two values wins', () => {
  assert.deepEqual(parsed('A=1\nA=2'), { A: '2' });
});

for (const [what, text] of [
  ['an open quote', 'OK=1\nSECRET="hunter2'],
  ['a line without =', 'OK=1\nhunter2'],
  ['text after a quoted value', 'OK=1\nSECRET="a"hunter2'],
]) {
  test(`${what} is refused by line number, without its content`, () => {
    assert.throws(() => parseDotenv(text), (error) => /^line 2 /.test(error.message) && !error.message.includes('hunter2'));
  });
}

test('a private file appears whole, for its owner only, and never replaces another', () => {
  const folder = mkdtempSync(join(tmpdir(), 'user-api-test-'));
  try {
    const path = join(folder, 'vars');
    assert.equal(createPrivateFile(path, 'A=1\n'), true);
    assert.equal(createPrivateFile(path, 'A=2\n'), false);
    assert.equal(readFileSync(path, 'utf8'), 'A=1\n');
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(folder), ['vars']);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
