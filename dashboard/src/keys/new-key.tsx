// Making an API key: its name, what it may do, until when, and how often.
import { useState } from 'preact/hooks';
import { useAction } from '../action';
import { api } from '../api';
import { Dialog } from '../parts/dialog';
import { CheckField, SelectField, TextField } from '../parts/field';
import { Form } from '../parts/form';
import type { ApiKey } from '../sources';
import { SCOPES } from './scopes';
import type { Scope } from './scopes';

const LIVES = [['', 'Never'], ['30', 'In 30 days'], ['90', 'In 90 days'], ['365', 'In a year']] as const;
const DAY_MS = 86_400_000;

export function NewKey({ close, made }: { close: () => void; made: (key: ApiKey) => void }) {
  const [name, setName] = useState('');
  const [scopes, setScopes] = useState<readonly Scope[]>(['customer:read']);
  const [days, setDays] = useState('');
  const [origins, setOrigins] = useState('');
  const [perHour, setPerHour] = useState('');
  const action = useAction(async () => {
    const { data } = await api().post('/customer/me/api-keys', {
      body: {
        name,
        scopes: [...scopes],
        ...(days === '' ? {} : { expiresAt: new Date(Date.now() + Number(days) * DAY_MS).toISOString() }),
        ...(origins.trim() === '' ? {} : { allowedOrigins: origins.trim().split(/[\s,]+/) }),
        ...(perHour === '' ? {} : { limit: { q: Number(perHour), w: 3_600 } }),
      },
    });
    made(data);
  });
  const faults = action.faults;
  const originFault = [...faults].find(([pointer]) => pointer.startsWith('#/allowedOrigins'))?.[1];
  const scopeFault = [...faults].find(([pointer]) => pointer.startsWith('#/scopes'))?.[1];
  const toggle = (scope: Scope) => (isOn: boolean) => setScopes(isOn ? [...scopes, scope] : scopes.filter((each) => each !== scope));
  return (
    <Dialog title="New API key" close={close}>
      <Form
        action={action}
        submit="Make the key"
        shown={['#/name', '#/scopes', '#/allowedOrigins', '#/limit', '#/expiresAt']}
        more={
          <button type="button" class="button" onClick={close}>
            Cancel
          </button>
        }
      >
        <TextField label="Name" hint="Which program it is for." value={name} fault={faults.get('#/name')} onChange={setName} />
        <fieldset class="pairs">
          <legend>It may</legend>
          {SCOPES.map(([scope, words]) => (
            <CheckField key={scope} label={words} hint={scope} checked={scopes.includes(scope)} onChange={toggle(scope)} />
          ))}
          {scopeFault !== undefined && <p class="fault">{scopeFault}</p>}
        </fieldset>
        <SelectField label="It expires" value={days} options={LIVES} fault={faults.get('#/expiresAt')} onChange={setDays} />
        <TextField
          label="Most requests an hour"
          hint="Beside the limits of the plan. Empty for no limit of its own."
          type="number"
          min={1}
          value={perHour}
          fault={faults.get('#/limit/q') ?? faults.get('#/limit')}
          onChange={setPerHour}
        />
        <TextField label="Pages that may use it" hint="Origins such as https://app.example.com, with spaces between. Empty for every one." value={origins} fault={originFault} onChange={setOrigins} />
      </Form>
    </Dialog>
  );
}
