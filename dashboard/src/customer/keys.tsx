// The API keys of the customer: for its owner.
import { useState } from 'preact/hooks';
import { NewKey } from '../keys/new-key';
import { Revoke } from '../keys/revoke';
import { Rotate } from '../keys/rotate';
import { KeyRow } from '../keys/row';
import { Secret } from '../keys/secret';
import { Card } from '../parts/card';
import { Icon } from '../parts/icon';
import { Loaded } from '../parts/loaded';
import { ForOwner, useOwner } from '../parts/owner';
import { Page } from '../parts/page';
import { customer, keys } from '../sources';
import type { ApiKey } from '../sources';
import { useResource } from '../store';

type Open = { readonly kind: 'new' } | { readonly kind: 'rotate' | 'revoke' | 'secret'; readonly apiKey: ApiKey };

const works = ({ status }: ApiKey): number => (status === 'active' || status === 'rotated' ? 0 : 1);

/** Those that work, then those that ended; of each the newest first, as they come. */
function workingFirst(all: readonly ApiKey[]): ApiKey[] {
  return [...all].sort((a, b) => works(a) - works(b));
}

export function Keys() {
  const isOwner = useOwner();
  // Asked for at once where it is not known yet whether one may: the service knows.
  const list = useResource(keys, isOwner !== false);
  const whole = useResource(customer);
  const [open, setOpen] = useState<Open | undefined>(undefined);
  const isDisabled = list.data === undefined || (whole.data !== undefined && whole.data.status !== 'active');
  const close = (): void => setOpen(undefined);
  const made = (apiKey: ApiKey): void => {
    setOpen({ kind: 'secret', apiKey });
    list.reload();
  };
  const done = (): void => {
    close();
    list.reload();
  };
  return (
    <Page
      title="API keys"
      lead="For programs of yours. A key acts on this customer alone, within what you allow it."
      actions={
        <button type="button" class="button button-main" disabled={isDisabled} onClick={() => setOpen({ kind: 'new' })}>
          <Icon name="plus" />
          New key
        </button>
      }
    >
      <Card title="Keys">
        <ForOwner what="see and make its keys">
          <Loaded of={list} what="the API keys" lines={6}>
            {({ data }) =>
              data.length === 0 ? (
                <p class="hint">There is no key yet.</p>
              ) : (
                <ul class="keys">
                  {workingFirst(data).map((apiKey) => (
                    <KeyRow
                      key={apiKey.keyId}
                      apiKey={apiKey}
                      isDisabled={isDisabled}
                      rotate={() => setOpen({ kind: 'rotate', apiKey })}
                      revoke={() => setOpen({ kind: 'revoke', apiKey })}
                    />
                  ))}
                </ul>
              )
            }
          </Loaded>
        </ForOwner>
      </Card>
      {open?.kind === 'new' && <NewKey close={close} made={made} />}
      {open?.kind === 'rotate' && <Rotate apiKey={open.apiKey} close={close} made={made} />}
      {open?.kind === 'revoke' && <Revoke apiKey={open.apiKey} close={close} done={done} />}
      {open?.kind === 'secret' && <Secret apiKey={open.apiKey} close={close} />}
    </Page>
  );
}
