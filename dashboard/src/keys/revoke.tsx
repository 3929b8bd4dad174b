// Taking a key back, which has no way back.
import { useAction } from '../action';
import { api } from '../api';
import { Dialog } from '../parts/dialog';
import { Form } from '../parts/form';
import type { ApiKey } from '../sources';

export function Revoke({ apiKey, close, done }: { apiKey: ApiKey; close: () => void; done: () => void }) {
  const action = useAction(async () => {
    await api().delete('/customer/me/api-keys/{keyId}', { path: { keyId: apiKey.keyId } });
    done();
  });
  return (
    <Dialog title={`Revoke “${apiKey.name}”?`} close={close}>
      <p>Programs that use it are refused from this moment on. This cannot be taken back.</p>
      <Form
        action={action}
        submit="Revoke the key"
        isDanger
        more={
          <button type="button" class="button" onClick={close}>
            Cancel
          </button>
        }
      >
        {null}
      </Form>
    </Dialog>
  );
}
