// What to do with an archive that is larger than the page takes in.
import { token } from '../api';
import { Copy } from '../parts/copy';
import { size } from '../parts/size';
import { MAX_ARCHIVE_BYTES } from './gather';

const PATH = '/customer/me/export';

export function Outside() {
  const isByToken = token() !== undefined;
  const { origin } = location;
  const commands = [
    ...(isByToken ? [`curl -H "Authorization: Bearer $TOKEN" -o export.zip ${origin}${PATH}`] : []),
    `curl -o keys.json ${origin}/.well-known/jwks.json`,
    'user-api verify export.zip --jwks keys.json',
  ].join('\n');
  return (
    <div role="alert">
      <p>
        <strong>This archive is too large for the page</strong>, which takes in at most {size(MAX_ARCHIVE_BYTES)}. Nothing was saved.{' '}
        {isByToken ? 'Download and check it by these commands:' : 'Download it past the page, and check it by these commands:'}
      </p>
      {!isByToken && (
        <p>
          <a class="button button-main" href={PATH} download="export.zip">
            Download without a check
          </a>
        </p>
      )}
      <pre class="secret" tabIndex={0} aria-label="Commands">
        {commands}
      </pre>
      <Copy text={commands} what="the commands" />
    </div>
  );
}
