// Asking for the erasure: the customer's id has to be typed, so that no slip of the mouse does it.
import { useState } from 'preact/hooks';
import { useAction } from '../action';
import { api } from '../api';
import { Dialog } from '../parts/dialog';
import { TextField } from '../parts/field';
import { Form } from '../parts/form';
import type { Erasure } from '../sources';

interface Props {
  readonly customerId: string;
  readonly close: () => void;
  readonly done: (erasure: Erasure) => void;
}

export function AskErasure({ customerId, close, done }: Props) {
  const [typed, setTyped] = useState('');
  const [reason, setReason] = useState('');
  const [fault, setFault] = useState<string | undefined>(undefined);
  const action = useAction(async () => {
    if (typed.trim() !== customerId) {
      setFault('This is not the id of this customer.');
      return;
    }
    setFault(undefined);
    const { data } = await api().post('/customer/me/erasure', { body: reason.trim() === '' ? {} : { reason: reason.trim() } });
    done(data);
  });
  return (
    <Dialog title="Erase this customer?" close={close}>
      <p>
        Everything of <code>{customerId}</code> will be destroyed once the time for withdrawing it is over. It concerns all users of the customer.
      </p>
      <Form
        action={action}
        submit="Schedule the erasure"
        isDanger
        shown={['#/reason']}
        more={
          <button type="button" class="button" onClick={close}>
            Keep everything
          </button>
        }
      >
        <TextField label="Type the customer id" value={typed} fault={fault} autocomplete="off" onChange={setTyped} />
        <TextField label="Why (you need not say)" value={reason} fault={action.faults.get('#/reason')} onChange={setReason} />
      </Form>
    </Dialog>
  );
}
