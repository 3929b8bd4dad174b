// Replacing a key by a new one; the old one goes on working for a while.
import { useState } from 'preact/hooks';
import { useAction } from '../action';
import { api } from '../api';
import { Dialog } from '../parts/dialog';
import { SelectField } from '../parts/field';
import { Form } from '../parts/form';
import type { ApiKey } from '../sources';

const GRACES = [['0', 'Stops at once'], ['3600', 'Works for another hour'], ['86400', 'Works for another day'], ['604800', 'Works for another week']] as const;

export function Rotate({ apiKey, close, made }: { apiKey: ApiKey; close: () => void; made: (key: ApiKey) => void }) {
  const [grace, setGrace] = useState('86400');
  const action = useAction(async () => {
    const { data } = await api().post('/customer/me/api-keys/{keyId}/rotate', {
      path: { keyId: apiKey.keyId },
      body: { graceSeconds: Number(grace) },
    });
    made(data);
  });
  return (
    <Dialog title={`Rotate “${apiKey.name}”`} close={close}>
      <p>A new key takes its place, with the same name, rights, limit and expiry.</p>
      <Form
        action={action}
        submit="Rotate"
        shown={['#/graceSeconds']}
        more={
          <button type="button" class="button" onClick={close}>
            Cancel
          </button>
        }
      >
        <SelectField label="The old key" value={grace} options={GRACES} fault={action.faults.get('#/graceSeconds')} onChange={setGrace} />
      </Form>
    </Dialog>
  );
}
