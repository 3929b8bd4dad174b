// The erasure of the customer: asked for, its clock, and taken back.
import { useState } from 'preact/hooks';
import { useAction } from '../action';
import { api } from '../api';
import { Card } from '../parts/card';
import { Failure } from '../parts/failure';
import { Loaded } from '../parts/loaded';
import { erasure } from '../sources';
import { useResource } from '../store';
import { AskErasure } from './ask';
import { Clock } from './clock';

export function ErasureCard({ customerId }: { customerId: string | undefined }) {
  const read = useResource(erasure);
  const [isAsking, setAsking] = useState(false);
  const withdraw = useAction(async () => {
    await api().delete('/customer/me/erasure');
    read.put({ data: null, etag: undefined });
  });
  return (
    <Card title="Erasure" isDanger>
      <Loaded of={read} what="the erasure" lines={3}>
        {(data) =>
          data === null ? (
            <>
              <p>
                Erasing destroys everything that is kept about this customer: the profile, all users, keys, preferences and the log’s details. It happens
                after a time in which you can withdraw it, and is certified afterwards. Export first what you want to keep.
              </p>
              <button type="button" class="button button-danger-quiet" disabled={customerId === undefined} onClick={() => setAsking(true)}>
                Erase this customer…
              </button>
            </>
          ) : (
            <>
              <Clock erasure={data} />
              {withdraw.error !== undefined && <Failure error={withdraw.error} />}
              <button type="button" class="button button-main" disabled={withdraw.isBusy} onClick={() => void withdraw.run()}>
                {withdraw.isBusy ? 'One moment…' : 'Withdraw the erasure'}
              </button>
            </>
          )
        }
      </Loaded>
      {isAsking && customerId !== undefined && (
        <AskErasure
          customerId={customerId}
          close={() => setAsking(false)}
          done={(data) => {
            setAsking(false);
            read.put({ data, etag: undefined });
          }}
        />
      )}
    </Card>
  );
}
