// Suspending a customer, with a reason that the customer sees, and making it active again.
import { useState } from 'preact/hooks';
import type { Result } from '@user-api/client';
import { useAction } from '../action';
import { api } from '../api';
import { Dialog } from '../parts/dialog';
import { AreaField } from '../parts/field';
import { Form } from '../parts/form';
import type { Customer } from '../sources';

type Put = (result: Pick<Result<Customer>, 'data' | 'etag'>) => void;

/** The statuses that an administrator makes active. */
const RAISED: ReadonlySet<string> = new Set(['suspended', 'cancelled', 'pending_verification']);

export function StatusActions({ of, put }: { of: Customer; put: Put }) {
  const [open, setOpen] = useState<'suspend' | 'activate' | undefined>(undefined);
  return (
    <>
      {of.status === 'active' && (
        <button type="button" class="button button-danger-quiet" onClick={() => setOpen('suspend')}>
          Suspend…
        </button>
      )}
      {RAISED.has(of.status) && (
        <button type="button" class="button button-main" onClick={() => setOpen('activate')}>
          Activate…
        </button>
      )}
      {open !== undefined && <Move kind={open} of={of} put={put} close={() => setOpen(undefined)} />}
    </>
  );
}

function Move({ kind, of, put, close }: { kind: 'suspend' | 'activate'; of: Customer; put: Put; close: () => void }) {
  const [reason, setReason] = useState('');
  const isSuspending = kind === 'suspend';
  const action = useAction(async () => {
    const path = { customerId: of.customerId };
    const text = reason.trim();
    const result = isSuspending
      ? await api().post('/admin/customers/{customerId}/suspend', { path, body: { reason: text } })
      : await api().post('/admin/customers/{customerId}/activate', { path, body: text === '' ? {} : { reason: text } });
    put(result);
    close();
  });
  return (
    <Dialog title={isSuspending ? 'Suspend this customer?' : 'Make this customer active?'} close={close}>
      <p>
        {isSuspending
          ? 'From the next request on its users can only read, and its API keys stop working.'
          : 'From the next request on its users can change things again, and its API keys work.'}
      </p>
      <Form
        action={action}
        submit={isSuspending ? 'Suspend' : 'Activate'}
        isDanger={isSuspending}
        shown={['#/reason']}
        more={
          <button type="button" class="button" onClick={close}>
            Cancel
          </button>
        }
      >
        <AreaField
          label={isSuspending ? 'Reason' : 'Reason (need not be given)'}
          hint="The customer sees it."
          value={reason}
          fault={action.faults.get('#/reason')}
          onChange={setReason}
          rows={3}
        />
      </Form>
    </Dialog>
  );
}
