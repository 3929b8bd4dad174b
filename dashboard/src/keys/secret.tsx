// The text of a new key, which is shown here and never again.
import { useState } from 'preact/hooks';
import { Copy } from '../parts/copy';
import { Dialog } from '../parts/dialog';
import { CheckField } from '../parts/field';
import type { ApiKey } from '../sources';

export function Secret({ apiKey, close }: { apiKey: ApiKey; close: () => void }) {
  const [isKept, setKept] = useState(false);
  return (
    <Dialog title={`The key “${apiKey.name}”`} close={close} isSticky>
      <p>
        This is the whole key. <strong>It is shown this once</strong>; we keep only a fingerprint of it. Put it where the program reads it.
      </p>
      <pre class="secret" tabIndex={0} aria-label="The key">
        {apiKey.secret}
      </pre>
      <p>
        <Copy text={apiKey.secret ?? ''} what="the key" />
      </p>
      <CheckField label="I have kept it" checked={isKept} onChange={setKept} />
      <div class="form-foot">
        <button type="button" class="button button-main" disabled={!isKept} onClick={close}>
          Done
        </button>
      </div>
    </Dialog>
  );
}
