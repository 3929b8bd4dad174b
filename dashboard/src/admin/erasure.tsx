// The erasure of a customer as an administrator sees it: its clock, its withdrawal, and in the end its certificate.
import { useAction } from '../action';
import { api } from '../api';
import { Certificate } from '../erasure/certificate';
import { Clock } from '../erasure/clock';
import { Card } from '../parts/card';
import { Failure } from '../parts/failure';
import { Time } from '../parts/time';
import type { Erasure } from '../sources';
import type { Resource } from '../store';

export function ErasureOf({ customerId, of }: { customerId: string; of: Resource<Erasure | null> }) {
  const withdraw = useAction(async () => {
    await api().delete('/admin/customers/{customerId}/erasure', { path: { customerId } });
    of.put({ data: null, etag: undefined });
  });
  const { data } = of;
  if (data?.status === 'erased') {
    return (
      <Card title="This customer was erased" isDanger>
        <p>
          {data.erasedAt != null && (
            <>
              Erased on <Time at={data.erasedAt} isExact />.{' '}
            </>
          )}
          Nothing of it is left but its id and this certificate.
        </p>
        {data.certificate == null ? (
          <p role="status">The destruction is not complete yet. Its certificate will stand here once it is.</p>
        ) : (
          <Certificate text={data.certificate} customerId={customerId} />
        )}
      </Card>
    );
  }
  if (data?.status !== 'scheduled') {
    return null;
  }
  return (
    <Card title="Erasure is scheduled" isDanger>
      <Clock erasure={data} />
      {withdraw.error !== undefined && <Failure error={withdraw.error} />}
      <button type="button" class="button" disabled={withdraw.isBusy} onClick={() => void withdraw.run()}>
        {withdraw.isBusy ? 'One moment…' : 'Withdraw the erasure'}
      </button>
    </Card>
  );
}
